# bash completion for alovoice, written by `alovoice completion bash`.

# The names of the profiles: the tables of config.toml, and those that always exist.
_alovoice_profiles() {
  local -a files
  local config=$HOME/.config
  # A relative path in XDG_CONFIG_HOME is to be ignored: XDG Base Directory Specification.
  [[ ${XDG_CONFIG_HOME-} == /* ]] && config=$XDG_CONFIG_HOME
  files=("$config/alovoice/config.toml" "$HOME/Library/Application Support/alovoice/config.toml")
  [[ -n ${ALOVOICE_CONFIG_DIR-} ]] && files=("$ALOVOICE_CONFIG_DIR/config.toml")
  printf '%s\n' default sandbox
  sed -n -e 's/^[[:space:]]*\[[[:space:]]*profiles[[:space:]]*\.[[:space:]]*\([A-Za-z0-9_-]\{1,\}\)[[:space:]]*[].].*/\1/p' -e 's/^[[:space:]]*\[[[:space:]]*profiles[[:space:]]*\.[[:space:]]*"\([^"\\]*\)"[[:space:]]*[].].*/\1/p' "${files[@]}" 2>/dev/null
}

# Sets commands, options and arguments to what the command of this path takes; an argument with * takes all that follow.
_alovoice_command() {
  commands='' options='' arguments=()
  case $1 in
    alovoice) commands='autorule numbers call events store day top ai listen route notify trunks peers api login logout status config demo sandbox help skill completion version' options='--csv --columns --no-headers --excel --timeout --base-url -y --yes --dry-run' ;;
    'alovoice autorule') commands='create check get list export watch report' options='--csv --columns --no-headers --excel --timeout --base-url -y --yes --dry-run' ;;
    'alovoice autorule create') options='--record --from --to --fromtime --totime --recipients --recipient --name --trunks --maxline --goodtime --tryes --paused --no-paused --timezone --encoding --column --sheet --header-line --exclude --exclude-unread-ok --exclude-called --clean --rejected --night-ok --allow-duplicate --override-limit --no-check --from-file --like --split --split-from --confirm --no-headers --excel --timeout --base-url -y --yes --dry-run' arguments=(file) ;;
    'alovoice autorule check') options='--record --from --to --fromtime --totime --recipients --recipient --name --trunks --maxline --goodtime --tryes --paused --no-paused --timezone --encoding --column --sheet --header-line --exclude --exclude-unread-ok --exclude-called --clean --rejected --night-ok --allow-duplicate --override-limit --no-check --from-file --like --split --forecast --answer-rate --seconds-per-call --tariff --seed --csv --columns --no-headers --excel --timeout --base-url' arguments=(file) ;;
    'alovoice autorule get') options='--no-headers --timeout --base-url' arguments=(text) ;;
    'alovoice autorule list') options='--status --since --store --refresh --csv --columns --no-headers --excel --timeout --base-url' ;;
    'alovoice autorule export') arguments=(text) ;;
    'alovoice autorule watch') options='--interval --until --wait --no-headers --timeout --base-url' arguments=('*text') ;;
    'alovoice autorule report') options='--unreached --include --by --html --force --recipients --column --store --csv --columns --no-headers --excel' arguments=(text) ;;
    'alovoice numbers') commands=check options='--csv --columns --no-headers --excel --timeout --base-url -y --yes --dry-run' ;;
    'alovoice numbers check') options='--encoding --column --sheet --header-line --exclude --exclude-unread-ok --exclude-called --clean --rejected --csv --columns --no-headers --excel' arguments=(file) ;;
    'alovoice call') commands='conference ivr out resolve batches receipts' options='--csv --columns --no-headers --excel --timeout --base-url -y --yes --dry-run' ;;
    'alovoice call conference') options='--callfrom --from --callto --to --queue --extid --encoding --wait --no-check --batch --map --confirm --list-encoding --sheet --header-line --exclude --exclude-unread-ok --each-row --allow-duplicate --jobs --rate --window --stop-after-failures --report --journal --shared --store --restart --changed-ok --retry-refused --resend-unknown --accept-risk --night-ok --override-limit --no-headers --excel --timeout --base-url -y --yes --dry-run' ;;
    'alovoice call ivr') options='--callto --to --ivrid --ivr --fromline --line --lang --extid --encoding --wait --no-check --batch --map --confirm --list-encoding --sheet --header-line --exclude --exclude-unread-ok --each-row --allow-duplicate --jobs --rate --window --stop-after-failures --report --journal --shared --store --restart --changed-ok --retry-refused --resend-unknown --accept-risk --night-ok --override-limit --no-headers --excel --timeout --base-url -y --yes --dry-run' ;;
    'alovoice call out') options='--inner-phone --from --number --to --call-id --user-id --encoding --wait --no-check --batch --map --confirm --list-encoding --sheet --header-line --exclude --exclude-unread-ok --each-row --allow-duplicate --jobs --rate --window --stop-after-failures --report --journal --shared --store --restart --changed-ok --retry-refused --resend-unknown --accept-risk --night-ok --override-limit --no-headers --excel --timeout --base-url -y --yes --dry-run' ;;
    'alovoice call resolve') options='--all --batch --wait --store --csv --columns --no-headers --excel' arguments=(text) ;;
    'alovoice call batches') commands='list show resume forget' options='--csv --columns --no-headers --excel --timeout --base-url -y --yes --dry-run' ;;
    'alovoice call batches list') options='--store --csv --columns --no-headers --excel' ;;
    'alovoice call batches show') options='--state --store --csv --columns --no-headers --excel' arguments=(text) ;;
    'alovoice call batches resume') options='--confirm --exclude --exclude-unread-ok --jobs --rate --window --stop-after-failures --report --shared --store --retry-refused --resend-unknown --accept-risk --night-ok --override-limit --excel --timeout --base-url -y --yes' arguments=(text) ;;
    'alovoice call batches forget') options='--accept-risk --store -y --yes' arguments=(text) ;;
    'alovoice call receipts') commands='list show' options='--csv --columns --no-headers --excel --timeout --base-url -y --yes --dry-run' ;;
    'alovoice call receipts list') options='--limit --store --csv --columns --no-headers --excel' ;;
    'alovoice call receipts show') options='--store --no-headers' arguments=(text) ;;
    'alovoice events') commands='list show tail stats missed gaps export import prune outbox trigger replay certify' options='--csv --columns --no-headers --excel --timeout --base-url -y --yes --dry-run' ;;
    'alovoice events list') options='--limit --store --since --until --type --number --line --peer --status --where --with-trials --csv --columns --no-headers --excel' ;;
    'alovoice events show') options='--store --csv --columns --no-headers --excel' arguments=(text) ;;
    'alovoice events tail') options='-f --follow -n --lines --type --number --line --peer --status --where --with-trials --store --no-headers' ;;
    'alovoice events stats') options='--by --kpi --target --short --since --until --number --line --peer --status --where --with-trials --store --csv --columns --no-headers --excel' ;;
    'alovoice events missed') options='--not-returned --older-than --since --until --number --line --peer --where --with-trials --exclude --exclude-unread-ok --limit --store --csv --columns --no-headers --excel' ;;
    'alovoice events gaps') options='--since --until --with-trials --limit --store --csv --columns --no-headers --excel' ;;
    'alovoice events export') options='--mask-numbers --with-uptime --limit --store --since --until --type --number --line --peer --status --where --with-trials --csv --columns --no-headers --excel' ;;
    'alovoice events import') options='--complete --since --until --store --dry-run' arguments=('*file') ;;
    'alovoice events prune') options='--older-than --store -y --yes --dry-run' ;;
    'alovoice events outbox') commands='list retry drop' options='--csv --columns --no-headers --excel --timeout --base-url -y --yes --dry-run' ;;
    'alovoice events outbox list') options='--target --state --store --csv --columns --no-headers --excel' ;;
    'alovoice events outbox retry') options='--all --to --target --state --store --dry-run' arguments=('*text') ;;
    'alovoice events outbox drop') options='--all --target --state --store -y --yes --dry-run' arguments=('*text') ;;
    'alovoice events trigger') options='--to --set --unset --from-event --scenario --count --rate --store --csv --columns --no-headers --excel --timeout --dry-run' arguments=('choice:callstart callend result route') ;;
    'alovoice events replay') options='--to --speed --store --since --until --type --number --line --peer --status --where --with-trials --csv --columns --no-headers --excel --timeout --dry-run' arguments=('*text') ;;
    'alovoice events certify') options='--callstart --callend --result --route --only --slow --junit --csv --columns --no-headers --excel --timeout --dry-run' arguments=(text) ;;
    'alovoice store') commands='check copy' options='--csv --columns --no-headers --excel --timeout --base-url -y --yes --dry-run' ;;
    'alovoice store check') options='--store --csv --columns --no-headers --excel' ;;
    'alovoice store copy') options='--csv --columns --no-headers --excel --dry-run' arguments=(text text) ;;
    'alovoice day') options='--week --text --html --force --rules --store --no-headers' arguments=(text) ;;
    'alovoice top') options='--once --store --no-headers' ;;
    'alovoice ai') commands='send result show list grep score report audio prune' options='--csv --columns --no-headers --excel --timeout --base-url -y --yes --dry-run' ;;
    'alovoice ai send') options='--again --budget --since --until --peer --line --min-duration --limit --with-imported --store --batch --map --confirm --list-encoding --sheet --header-line --jobs --rate --window --stop-after-failures --report --journal --restart --changed-ok --retry-refused --resend-unknown --accept-risk --override-limit --csv --columns --no-headers --excel --timeout --base-url -y --yes --dry-run' arguments=('*text') ;;
    'alovoice ai result') options='--wait --interval --format -o --output --force --mask-numbers --peer --store --no-store --batch --map --list-encoding --sheet --header-line --jobs --rate --stop-after-failures --report --csv --columns --no-headers --excel --timeout --base-url' arguments=('*text') ;;
    'alovoice ai show') options='--format -o --output --force --mask-numbers --csv --columns --no-headers --excel' arguments=('*text') ;;
    'alovoice ai list') options='--since --until --tag --without-tag --peer --limit --csv --columns --no-headers --excel' ;;
    'alovoice ai grep') options='--speaker -C --context -w --word --since --until --tag --without-tag --peer --limit --mask-numbers --csv --columns --no-headers --excel' arguments=(text) ;;
    'alovoice ai score') options='--rules --check --by --fail-under --init --set --note --unset --since --until --tag --without-tag --peer --csv --columns --no-headers --excel --dry-run' arguments=(text) ;;
    'alovoice ai report') options='--by --html --rules --worst --force --mask-numbers --since --until --tag --without-tag --peer --csv --columns --no-headers --excel' ;;
    'alovoice ai audio') options='-o --output --force --resume --csv --columns --no-headers --excel --timeout --base-url' arguments=('*text') ;;
    'alovoice ai prune') options='--older-than -y --yes --dry-run' ;;
    'alovoice listen') commands=check options='--host --port --store --secret --forward --forward-timeout --forward-header --forward-json --forward-raw --sign-secret --exec --notify --notify-on --grace --rules --fallback --deadline --shadow --allow-from --trusted-proxy --tls-cert --tls-key --no-dedupe --dedupe --ready-file --admin --log-format --print-systemd --print-nginx --csv --columns --no-headers --excel --timeout --base-url -y --yes --dry-run' ;;
    'alovoice listen check') options='--url --store --no-headers --timeout' ;;
    'alovoice route') commands='init check test diff override' options='--csv --columns --no-headers --excel --timeout --base-url -y --yes --dry-run' ;;
    'alovoice route init') options=--dry-run arguments=(file) ;;
    'alovoice route check') options='--online --strict --csv --columns --no-headers --excel --timeout --base-url' arguments=(file) ;;
    'alovoice route test') options='--from --line --queue --direction --at --last-peer --calls --missed --store --explain --no-headers' arguments=(file) ;;
    'alovoice route diff') options='--since --until --store --csv --columns --no-headers --excel' arguments=(file file) ;;
    'alovoice route override') options='--for --off --no-headers --dry-run' arguments=(text) ;;
    'alovoice notify') commands='test login logout' options='--csv --columns --no-headers --excel --timeout --base-url -y --yes --dry-run' ;;
    'alovoice notify test') options='--to --csv --columns --no-headers --excel --timeout --dry-run' ;;
    'alovoice notify login') options='--with-token --no-check --timeout --dry-run' ;;
    'alovoice notify logout') options=--dry-run ;;
    'alovoice trunks') options='--csv --columns --no-headers --excel --timeout --base-url' ;;
    'alovoice peers') options='--status --number --show-secrets --csv --columns --no-headers --excel --timeout --base-url' ;;
    'alovoice api') options='-f --raw-field -F --field --input -H --header -i --include --show-secrets --timeout --base-url --dry-run' arguments=(text text) ;;
    'alovoice login') options='--with-token --token-command --no-check --timeout --base-url --dry-run' ;;
    'alovoice logout') options=--dry-run arguments=(profile) ;;
    'alovoice status') options='--offline --no-headers --timeout --base-url' ;;
    'alovoice config') commands='list get set unset use path' options='--csv --columns --no-headers --excel --timeout --base-url -y --yes --dry-run' ;;
    'alovoice config list') options='--csv --columns --no-headers --excel' ;;
    'alovoice config get') arguments=('choice:profile require_profile base_url encoding timezone lang timeout token_command trunks store peer_names quiet_hours max_recipients allowed_prefixes confirm_above max_calls_per_run max_calls_per_day ai_budget_per_day trunk_lines reserve_lines max_campaigns_per_day service_seconds short_abandon_seconds duration_counts target_service_level target_answer_rate target_abandon_rate target_wait target_owed target_callback insecure listen.host listen.port listen.store listen.secret listen.forward listen.forward-timeout listen.forward-header listen.forward-json listen.sign-secret listen.exec listen.notify listen.notify-on listen.grace listen.rules listen.fallback listen.deadline listen.shadow listen.allow-from listen.trusted-proxy listen.tls-cert listen.tls-key listen.no-dedupe listen.ready-file listen.admin listen.log-format notify.telegram.token_command notify.telegram.api_url') ;;
    'alovoice config set') options=--dry-run arguments=('choice:profile require_profile base_url encoding timezone lang timeout token_command trunks store peer_names quiet_hours max_recipients allowed_prefixes confirm_above max_calls_per_run max_calls_per_day ai_budget_per_day trunk_lines reserve_lines max_campaigns_per_day service_seconds short_abandon_seconds duration_counts target_service_level target_answer_rate target_abandon_rate target_wait target_owed target_callback insecure listen.host listen.port listen.store listen.secret listen.forward listen.forward-timeout listen.forward-header listen.forward-json listen.sign-secret listen.exec listen.notify listen.notify-on listen.grace listen.rules listen.fallback listen.deadline listen.shadow listen.allow-from listen.trusted-proxy listen.tls-cert listen.tls-key listen.no-dedupe listen.ready-file listen.admin listen.log-format notify.telegram.token_command notify.telegram.api_url' text) ;;
    'alovoice config unset') options=--dry-run arguments=('choice:profile require_profile base_url encoding timezone lang timeout token_command trunks store peer_names quiet_hours max_recipients allowed_prefixes confirm_above max_calls_per_run max_calls_per_day ai_budget_per_day trunk_lines reserve_lines max_campaigns_per_day service_seconds short_abandon_seconds duration_counts target_service_level target_answer_rate target_abandon_rate target_wait target_owed target_callback insecure listen.host listen.port listen.store listen.secret listen.forward listen.forward-timeout listen.forward-header listen.forward-json listen.sign-secret listen.exec listen.notify listen.notify-on listen.grace listen.rules listen.fallback listen.deadline listen.shadow listen.allow-from listen.trusted-proxy listen.tls-cert listen.tls-key listen.no-dedupe listen.ready-file listen.admin listen.log-format notify.telegram.token_command notify.telegram.api_url') ;;
    'alovoice config use') options=--dry-run arguments=(profile) ;;
    'alovoice config path') : ;;
    'alovoice demo') : ;;
    'alovoice sandbox') commands='serve reset path sample' options='--csv --columns --no-headers --excel --timeout --base-url -y --yes --dry-run' ;;
    'alovoice sandbox serve') options='--host --port --token --speed --seed --fault --state --events-to --inbound --day --chaos' ;;
    'alovoice sandbox reset') options='-y --yes --dry-run' ;;
    'alovoice sandbox path') : ;;
    'alovoice sandbox sample') options=--dry-run arguments=(directory) ;;
    'alovoice help') arguments=('*text') ;;
    'alovoice skill') options='--install --dry-run' ;;
    'alovoice completion') arguments=('choice:bash zsh fish powershell') ;;
    'alovoice version') : ;;
  esac
}

# Sets value to the kind of word that follows this option of the command of this path: nothing after a flag.
_alovoice_option() {
  value=''
  case $2 in
    -p | --profile) value='profile' ;;
    --color) value='choice:auto always never' ;;
    --lang) value='choice:en ru uz' ;;
  esac
  case "$1 $2" in
    'alovoice --columns') value='text' ;;
    'alovoice --timeout') value='text' ;;
    'alovoice --base-url') value='text' ;;
    'alovoice autorule --columns') value='text' ;;
    'alovoice autorule --timeout') value='text' ;;
    'alovoice autorule --base-url') value='text' ;;
    'alovoice autorule create --record') value='file' ;;
    'alovoice autorule create --from') value='text' ;;
    'alovoice autorule create --to') value='text' ;;
    'alovoice autorule create --fromtime') value='text' ;;
    'alovoice autorule create --totime') value='text' ;;
    'alovoice autorule create --recipients') value='file' ;;
    'alovoice autorule create --recipient') value='text' ;;
    'alovoice autorule create --name') value='text' ;;
    'alovoice autorule create --trunks') value='text' ;;
    'alovoice autorule create --maxline') value='text' ;;
    'alovoice autorule create --goodtime') value='text' ;;
    'alovoice autorule create --tryes') value='text' ;;
    'alovoice autorule create --timezone') value='text' ;;
    'alovoice autorule create --encoding') value='text' ;;
    'alovoice autorule create --column') value='text' ;;
    'alovoice autorule create --sheet') value='text' ;;
    'alovoice autorule create --header-line') value='text' ;;
    'alovoice autorule create --exclude') value='file' ;;
    'alovoice autorule create --exclude-called') value='text' ;;
    'alovoice autorule create --rejected') value='file' ;;
    'alovoice autorule create --override-limit') value='text' ;;
    'alovoice autorule create --from-file') value='file' ;;
    'alovoice autorule create --like') value='text' ;;
    'alovoice autorule create --split') value='text' ;;
    'alovoice autorule create --split-from') value='text' ;;
    'alovoice autorule create --confirm') value='text' ;;
    'alovoice autorule create --timeout') value='text' ;;
    'alovoice autorule create --base-url') value='text' ;;
    'alovoice autorule check --record') value='file' ;;
    'alovoice autorule check --from') value='text' ;;
    'alovoice autorule check --to') value='text' ;;
    'alovoice autorule check --fromtime') value='text' ;;
    'alovoice autorule check --totime') value='text' ;;
    'alovoice autorule check --recipients') value='file' ;;
    'alovoice autorule check --recipient') value='text' ;;
    'alovoice autorule check --name') value='text' ;;
    'alovoice autorule check --trunks') value='text' ;;
    'alovoice autorule check --maxline') value='text' ;;
    'alovoice autorule check --goodtime') value='text' ;;
    'alovoice autorule check --tryes') value='text' ;;
    'alovoice autorule check --timezone') value='text' ;;
    'alovoice autorule check --encoding') value='text' ;;
    'alovoice autorule check --column') value='text' ;;
    'alovoice autorule check --sheet') value='text' ;;
    'alovoice autorule check --header-line') value='text' ;;
    'alovoice autorule check --exclude') value='file' ;;
    'alovoice autorule check --exclude-called') value='text' ;;
    'alovoice autorule check --rejected') value='file' ;;
    'alovoice autorule check --override-limit') value='text' ;;
    'alovoice autorule check --from-file') value='file' ;;
    'alovoice autorule check --like') value='text' ;;
    'alovoice autorule check --split') value='text' ;;
    'alovoice autorule check --answer-rate') value='text' ;;
    'alovoice autorule check --seconds-per-call') value='text' ;;
    'alovoice autorule check --tariff') value='text' ;;
    'alovoice autorule check --seed') value='text' ;;
    'alovoice autorule check --columns') value='text' ;;
    'alovoice autorule check --timeout') value='text' ;;
    'alovoice autorule check --base-url') value='text' ;;
    'alovoice autorule get --timeout') value='text' ;;
    'alovoice autorule get --base-url') value='text' ;;
    'alovoice autorule list --status') value='text' ;;
    'alovoice autorule list --since') value='text' ;;
    'alovoice autorule list --store') value='text' ;;
    'alovoice autorule list --columns') value='text' ;;
    'alovoice autorule list --timeout') value='text' ;;
    'alovoice autorule list --base-url') value='text' ;;
    'alovoice autorule watch --interval') value='text' ;;
    'alovoice autorule watch --until') value='text' ;;
    'alovoice autorule watch --wait') value='text' ;;
    'alovoice autorule watch --timeout') value='text' ;;
    'alovoice autorule watch --base-url') value='text' ;;
    'alovoice autorule report --unreached') value='file' ;;
    'alovoice autorule report --include') value='text' ;;
    'alovoice autorule report --by') value='choice:status hour line attempt' ;;
    'alovoice autorule report --html') value='file' ;;
    'alovoice autorule report --recipients') value='file' ;;
    'alovoice autorule report --column') value='text' ;;
    'alovoice autorule report --store') value='text' ;;
    'alovoice autorule report --columns') value='text' ;;
    'alovoice numbers --columns') value='text' ;;
    'alovoice numbers --timeout') value='text' ;;
    'alovoice numbers --base-url') value='text' ;;
    'alovoice numbers check --encoding') value='text' ;;
    'alovoice numbers check --column') value='text' ;;
    'alovoice numbers check --sheet') value='text' ;;
    'alovoice numbers check --header-line') value='text' ;;
    'alovoice numbers check --exclude') value='file' ;;
    'alovoice numbers check --exclude-called') value='text' ;;
    'alovoice numbers check --clean') value='file' ;;
    'alovoice numbers check --rejected') value='file' ;;
    'alovoice numbers check --columns') value='text' ;;
    'alovoice call --columns') value='text' ;;
    'alovoice call --timeout') value='text' ;;
    'alovoice call --base-url') value='text' ;;
    'alovoice call conference --callfrom' | 'alovoice call conference --from') value='text' ;;
    'alovoice call conference --callto' | 'alovoice call conference --to') value='text' ;;
    'alovoice call conference --queue') value='text' ;;
    'alovoice call conference --extid') value='text' ;;
    'alovoice call conference --encoding') value='choice:json multipart form vendor-curl' ;;
    'alovoice call conference --wait') value='text' ;;
    'alovoice call conference --batch') value='file' ;;
    'alovoice call conference --map') value='text' ;;
    'alovoice call conference --confirm') value='text' ;;
    'alovoice call conference --list-encoding') value='text' ;;
    'alovoice call conference --sheet') value='text' ;;
    'alovoice call conference --header-line') value='text' ;;
    'alovoice call conference --exclude') value='file' ;;
    'alovoice call conference --jobs') value='text' ;;
    'alovoice call conference --rate') value='text' ;;
    'alovoice call conference --window') value='text' ;;
    'alovoice call conference --stop-after-failures') value='text' ;;
    'alovoice call conference --report') value='file' ;;
    'alovoice call conference --journal') value='text' ;;
    'alovoice call conference --store') value='text' ;;
    'alovoice call conference --override-limit') value='text' ;;
    'alovoice call conference --timeout') value='text' ;;
    'alovoice call conference --base-url') value='text' ;;
    'alovoice call ivr --callto' | 'alovoice call ivr --to') value='text' ;;
    'alovoice call ivr --ivrid' | 'alovoice call ivr --ivr') value='text' ;;
    'alovoice call ivr --fromline' | 'alovoice call ivr --line') value='text' ;;
    'alovoice call ivr --lang') value='text' ;;
    'alovoice call ivr --extid') value='text' ;;
    'alovoice call ivr --encoding') value='choice:json multipart form vendor-curl' ;;
    'alovoice call ivr --wait') value='text' ;;
    'alovoice call ivr --batch') value='file' ;;
    'alovoice call ivr --map') value='text' ;;
    'alovoice call ivr --confirm') value='text' ;;
    'alovoice call ivr --list-encoding') value='text' ;;
    'alovoice call ivr --sheet') value='text' ;;
    'alovoice call ivr --header-line') value='text' ;;
    'alovoice call ivr --exclude') value='file' ;;
    'alovoice call ivr --jobs') value='text' ;;
    'alovoice call ivr --rate') value='text' ;;
    'alovoice call ivr --window') value='text' ;;
    'alovoice call ivr --stop-after-failures') value='text' ;;
    'alovoice call ivr --report') value='file' ;;
    'alovoice call ivr --journal') value='text' ;;
    'alovoice call ivr --store') value='text' ;;
    'alovoice call ivr --override-limit') value='text' ;;
    'alovoice call ivr --timeout') value='text' ;;
    'alovoice call ivr --base-url') value='text' ;;
    'alovoice call out --inner-phone' | 'alovoice call out --from') value='text' ;;
    'alovoice call out --number' | 'alovoice call out --to') value='text' ;;
    'alovoice call out --call-id') value='text' ;;
    'alovoice call out --user-id') value='text' ;;
    'alovoice call out --encoding') value='choice:json multipart form vendor-curl' ;;
    'alovoice call out --wait') value='text' ;;
    'alovoice call out --batch') value='file' ;;
    'alovoice call out --map') value='text' ;;
    'alovoice call out --confirm') value='text' ;;
    'alovoice call out --list-encoding') value='text' ;;
    'alovoice call out --sheet') value='text' ;;
    'alovoice call out --header-line') value='text' ;;
    'alovoice call out --exclude') value='file' ;;
    'alovoice call out --jobs') value='text' ;;
    'alovoice call out --rate') value='text' ;;
    'alovoice call out --window') value='text' ;;
    'alovoice call out --stop-after-failures') value='text' ;;
    'alovoice call out --report') value='file' ;;
    'alovoice call out --journal') value='text' ;;
    'alovoice call out --store') value='text' ;;
    'alovoice call out --override-limit') value='text' ;;
    'alovoice call out --timeout') value='text' ;;
    'alovoice call out --base-url') value='text' ;;
    'alovoice call resolve --batch') value='text' ;;
    'alovoice call resolve --wait') value='text' ;;
    'alovoice call resolve --store') value='text' ;;
    'alovoice call resolve --columns') value='text' ;;
    'alovoice call batches --columns') value='text' ;;
    'alovoice call batches --timeout') value='text' ;;
    'alovoice call batches --base-url') value='text' ;;
    'alovoice call batches list --store') value='text' ;;
    'alovoice call batches list --columns') value='text' ;;
    'alovoice call batches show --state') value='text' ;;
    'alovoice call batches show --store') value='text' ;;
    'alovoice call batches show --columns') value='text' ;;
    'alovoice call batches resume --confirm') value='text' ;;
    'alovoice call batches resume --exclude') value='file' ;;
    'alovoice call batches resume --jobs') value='text' ;;
    'alovoice call batches resume --rate') value='text' ;;
    'alovoice call batches resume --window') value='text' ;;
    'alovoice call batches resume --stop-after-failures') value='text' ;;
    'alovoice call batches resume --report') value='file' ;;
    'alovoice call batches resume --store') value='text' ;;
    'alovoice call batches resume --override-limit') value='text' ;;
    'alovoice call batches resume --timeout') value='text' ;;
    'alovoice call batches resume --base-url') value='text' ;;
    'alovoice call batches forget --store') value='text' ;;
    'alovoice call receipts --columns') value='text' ;;
    'alovoice call receipts --timeout') value='text' ;;
    'alovoice call receipts --base-url') value='text' ;;
    'alovoice call receipts list --limit') value='text' ;;
    'alovoice call receipts list --store') value='text' ;;
    'alovoice call receipts list --columns') value='text' ;;
    'alovoice call receipts show --store') value='text' ;;
    'alovoice events --columns') value='text' ;;
    'alovoice events --timeout') value='text' ;;
    'alovoice events --base-url') value='text' ;;
    'alovoice events list --limit') value='text' ;;
    'alovoice events list --store') value='text' ;;
    'alovoice events list --since') value='text' ;;
    'alovoice events list --until') value='text' ;;
    'alovoice events list --type') value='text' ;;
    'alovoice events list --number') value='text' ;;
    'alovoice events list --line') value='text' ;;
    'alovoice events list --peer') value='text' ;;
    'alovoice events list --status') value='text' ;;
    'alovoice events list --where') value='text' ;;
    'alovoice events list --columns') value='text' ;;
    'alovoice events show --store') value='text' ;;
    'alovoice events show --columns') value='text' ;;
    'alovoice events tail -n' | 'alovoice events tail --lines') value='text' ;;
    'alovoice events tail --type') value='text' ;;
    'alovoice events tail --number') value='text' ;;
    'alovoice events tail --line') value='text' ;;
    'alovoice events tail --peer') value='text' ;;
    'alovoice events tail --status') value='text' ;;
    'alovoice events tail --where') value='text' ;;
    'alovoice events tail --store') value='text' ;;
    'alovoice events stats --by') value='choice:hour day weekday line peer number status rule' ;;
    'alovoice events stats --target') value='text' ;;
    'alovoice events stats --short') value='text' ;;
    'alovoice events stats --since') value='text' ;;
    'alovoice events stats --until') value='text' ;;
    'alovoice events stats --number') value='text' ;;
    'alovoice events stats --line') value='text' ;;
    'alovoice events stats --peer') value='text' ;;
    'alovoice events stats --status') value='text' ;;
    'alovoice events stats --where') value='text' ;;
    'alovoice events stats --store') value='text' ;;
    'alovoice events stats --columns') value='text' ;;
    'alovoice events missed --older-than') value='text' ;;
    'alovoice events missed --since') value='text' ;;
    'alovoice events missed --until') value='text' ;;
    'alovoice events missed --number') value='text' ;;
    'alovoice events missed --line') value='text' ;;
    'alovoice events missed --peer') value='text' ;;
    'alovoice events missed --where') value='text' ;;
    'alovoice events missed --exclude') value='file' ;;
    'alovoice events missed --limit') value='text' ;;
    'alovoice events missed --store') value='text' ;;
    'alovoice events missed --columns') value='text' ;;
    'alovoice events gaps --since') value='text' ;;
    'alovoice events gaps --until') value='text' ;;
    'alovoice events gaps --limit') value='text' ;;
    'alovoice events gaps --store') value='text' ;;
    'alovoice events gaps --columns') value='text' ;;
    'alovoice events export --limit') value='text' ;;
    'alovoice events export --store') value='text' ;;
    'alovoice events export --since') value='text' ;;
    'alovoice events export --until') value='text' ;;
    'alovoice events export --type') value='text' ;;
    'alovoice events export --number') value='text' ;;
    'alovoice events export --line') value='text' ;;
    'alovoice events export --peer') value='text' ;;
    'alovoice events export --status') value='text' ;;
    'alovoice events export --where') value='text' ;;
    'alovoice events export --columns') value='text' ;;
    'alovoice events import --since') value='text' ;;
    'alovoice events import --until') value='text' ;;
    'alovoice events import --store') value='text' ;;
    'alovoice events prune --older-than') value='text' ;;
    'alovoice events prune --store') value='text' ;;
    'alovoice events outbox --columns') value='text' ;;
    'alovoice events outbox --timeout') value='text' ;;
    'alovoice events outbox --base-url') value='text' ;;
    'alovoice events outbox list --target') value='text' ;;
    'alovoice events outbox list --state') value='text' ;;
    'alovoice events outbox list --store') value='text' ;;
    'alovoice events outbox list --columns') value='text' ;;
    'alovoice events outbox retry --to') value='text' ;;
    'alovoice events outbox retry --target') value='text' ;;
    'alovoice events outbox retry --state') value='text' ;;
    'alovoice events outbox retry --store') value='text' ;;
    'alovoice events outbox drop --target') value='text' ;;
    'alovoice events outbox drop --state') value='text' ;;
    'alovoice events outbox drop --store') value='text' ;;
    'alovoice events trigger --to') value='text' ;;
    'alovoice events trigger --set') value='text' ;;
    'alovoice events trigger --unset') value='text' ;;
    'alovoice events trigger --from-event') value='text' ;;
    'alovoice events trigger --scenario') value='text' ;;
    'alovoice events trigger --count') value='text' ;;
    'alovoice events trigger --rate') value='text' ;;
    'alovoice events trigger --store') value='text' ;;
    'alovoice events trigger --columns') value='text' ;;
    'alovoice events trigger --timeout') value='text' ;;
    'alovoice events replay --to') value='text' ;;
    'alovoice events replay --speed') value='text' ;;
    'alovoice events replay --store') value='text' ;;
    'alovoice events replay --since') value='text' ;;
    'alovoice events replay --until') value='text' ;;
    'alovoice events replay --type') value='text' ;;
    'alovoice events replay --number') value='text' ;;
    'alovoice events replay --line') value='text' ;;
    'alovoice events replay --peer') value='text' ;;
    'alovoice events replay --status') value='text' ;;
    'alovoice events replay --where') value='text' ;;
    'alovoice events replay --columns') value='text' ;;
    'alovoice events replay --timeout') value='text' ;;
    'alovoice events certify --callstart') value='text' ;;
    'alovoice events certify --callend') value='text' ;;
    'alovoice events certify --result') value='text' ;;
    'alovoice events certify --route') value='text' ;;
    'alovoice events certify --only') value='text' ;;
    'alovoice events certify --junit') value='file' ;;
    'alovoice events certify --columns') value='text' ;;
    'alovoice events certify --timeout') value='text' ;;
    'alovoice store --columns') value='text' ;;
    'alovoice store --timeout') value='text' ;;
    'alovoice store --base-url') value='text' ;;
    'alovoice store check --store') value='text' ;;
    'alovoice store check --columns') value='text' ;;
    'alovoice store copy --columns') value='text' ;;
    'alovoice day --html') value='file' ;;
    'alovoice day --rules') value='file' ;;
    'alovoice day --store') value='text' ;;
    'alovoice top --store') value='text' ;;
    'alovoice ai --columns') value='text' ;;
    'alovoice ai --timeout') value='text' ;;
    'alovoice ai --base-url') value='text' ;;
    'alovoice ai send --budget') value='text' ;;
    'alovoice ai send --since') value='text' ;;
    'alovoice ai send --until') value='text' ;;
    'alovoice ai send --peer') value='text' ;;
    'alovoice ai send --line') value='text' ;;
    'alovoice ai send --min-duration') value='text' ;;
    'alovoice ai send --limit') value='text' ;;
    'alovoice ai send --store') value='text' ;;
    'alovoice ai send --batch') value='file' ;;
    'alovoice ai send --map') value='text' ;;
    'alovoice ai send --confirm') value='text' ;;
    'alovoice ai send --list-encoding') value='text' ;;
    'alovoice ai send --sheet') value='text' ;;
    'alovoice ai send --header-line') value='text' ;;
    'alovoice ai send --jobs') value='text' ;;
    'alovoice ai send --rate') value='text' ;;
    'alovoice ai send --window') value='text' ;;
    'alovoice ai send --stop-after-failures') value='text' ;;
    'alovoice ai send --report') value='file' ;;
    'alovoice ai send --journal') value='text' ;;
    'alovoice ai send --override-limit') value='text' ;;
    'alovoice ai send --columns') value='text' ;;
    'alovoice ai send --timeout') value='text' ;;
    'alovoice ai send --base-url') value='text' ;;
    'alovoice ai result --wait') value='text' ;;
    'alovoice ai result --interval') value='text' ;;
    'alovoice ai result --format') value='choice:text json md srt vtt csv html' ;;
    'alovoice ai result -o' | 'alovoice ai result --output') value='file' ;;
    'alovoice ai result --peer') value='text' ;;
    'alovoice ai result --batch') value='file' ;;
    'alovoice ai result --map') value='text' ;;
    'alovoice ai result --list-encoding') value='text' ;;
    'alovoice ai result --sheet') value='text' ;;
    'alovoice ai result --header-line') value='text' ;;
    'alovoice ai result --jobs') value='text' ;;
    'alovoice ai result --rate') value='text' ;;
    'alovoice ai result --stop-after-failures') value='text' ;;
    'alovoice ai result --report') value='file' ;;
    'alovoice ai result --columns') value='text' ;;
    'alovoice ai result --timeout') value='text' ;;
    'alovoice ai result --base-url') value='text' ;;
    'alovoice ai show --format') value='choice:text json md srt vtt csv html' ;;
    'alovoice ai show -o' | 'alovoice ai show --output') value='file' ;;
    'alovoice ai show --columns') value='text' ;;
    'alovoice ai list --since') value='text' ;;
    'alovoice ai list --until') value='text' ;;
    'alovoice ai list --tag') value='text' ;;
    'alovoice ai list --without-tag') value='text' ;;
    'alovoice ai list --peer') value='text' ;;
    'alovoice ai list --limit') value='text' ;;
    'alovoice ai list --columns') value='text' ;;
    'alovoice ai grep --speaker') value='choice:operator client' ;;
    'alovoice ai grep -C' | 'alovoice ai grep --context') value='text' ;;
    'alovoice ai grep --since') value='text' ;;
    'alovoice ai grep --until') value='text' ;;
    'alovoice ai grep --tag') value='text' ;;
    'alovoice ai grep --without-tag') value='text' ;;
    'alovoice ai grep --peer') value='text' ;;
    'alovoice ai grep --limit') value='text' ;;
    'alovoice ai grep --columns') value='text' ;;
    'alovoice ai score --rules') value='file' ;;
    'alovoice ai score --by') value='choice:call operator week' ;;
    'alovoice ai score --fail-under') value='text' ;;
    'alovoice ai score --set') value='text' ;;
    'alovoice ai score --note') value='text' ;;
    'alovoice ai score --since') value='text' ;;
    'alovoice ai score --until') value='text' ;;
    'alovoice ai score --tag') value='text' ;;
    'alovoice ai score --without-tag') value='text' ;;
    'alovoice ai score --peer') value='text' ;;
    'alovoice ai score --columns') value='text' ;;
    'alovoice ai report --by') value='choice:day week operator tag' ;;
    'alovoice ai report --html') value='file' ;;
    'alovoice ai report --rules') value='file' ;;
    'alovoice ai report --worst') value='text' ;;
    'alovoice ai report --since') value='text' ;;
    'alovoice ai report --until') value='text' ;;
    'alovoice ai report --tag') value='text' ;;
    'alovoice ai report --without-tag') value='text' ;;
    'alovoice ai report --peer') value='text' ;;
    'alovoice ai report --columns') value='text' ;;
    'alovoice ai audio -o' | 'alovoice ai audio --output') value='file' ;;
    'alovoice ai audio --columns') value='text' ;;
    'alovoice ai audio --timeout') value='text' ;;
    'alovoice ai audio --base-url') value='text' ;;
    'alovoice ai prune --older-than') value='text' ;;
    'alovoice listen --host') value='text' ;;
    'alovoice listen --port') value='text' ;;
    'alovoice listen --store') value='text' ;;
    'alovoice listen --secret') value='text' ;;
    'alovoice listen --forward') value='text' ;;
    'alovoice listen --forward-timeout') value='text' ;;
    'alovoice listen --forward-header') value='text' ;;
    'alovoice listen --sign-secret') value='text' ;;
    'alovoice listen --exec') value='text' ;;
    'alovoice listen --notify') value='text' ;;
    'alovoice listen --notify-on') value='choice:missed' ;;
    'alovoice listen --grace') value='text' ;;
    'alovoice listen --rules') value='file' ;;
    'alovoice listen --fallback') value='text' ;;
    'alovoice listen --deadline') value='text' ;;
    'alovoice listen --shadow') value='file' ;;
    'alovoice listen --allow-from') value='text' ;;
    'alovoice listen --trusted-proxy') value='text' ;;
    'alovoice listen --tls-cert') value='file' ;;
    'alovoice listen --tls-key') value='file' ;;
    'alovoice listen --ready-file') value='file' ;;
    'alovoice listen --admin') value='text' ;;
    'alovoice listen --log-format') value='choice:text json' ;;
    'alovoice listen --columns') value='text' ;;
    'alovoice listen --timeout') value='text' ;;
    'alovoice listen --base-url') value='text' ;;
    'alovoice listen check --url') value='text' ;;
    'alovoice listen check --store') value='text' ;;
    'alovoice listen check --timeout') value='text' ;;
    'alovoice route --columns') value='text' ;;
    'alovoice route --timeout') value='text' ;;
    'alovoice route --base-url') value='text' ;;
    'alovoice route check --columns') value='text' ;;
    'alovoice route check --timeout') value='text' ;;
    'alovoice route check --base-url') value='text' ;;
    'alovoice route test --from') value='text' ;;
    'alovoice route test --line') value='text' ;;
    'alovoice route test --queue') value='text' ;;
    'alovoice route test --direction') value='choice:inc out' ;;
    'alovoice route test --at') value='text' ;;
    'alovoice route test --last-peer') value='text' ;;
    'alovoice route test --calls') value='text' ;;
    'alovoice route test --missed') value='text' ;;
    'alovoice route test --store') value='text' ;;
    'alovoice route diff --since') value='text' ;;
    'alovoice route diff --until') value='text' ;;
    'alovoice route diff --store') value='text' ;;
    'alovoice route diff --columns') value='text' ;;
    'alovoice route override --for') value='text' ;;
    'alovoice notify --columns') value='text' ;;
    'alovoice notify --timeout') value='text' ;;
    'alovoice notify --base-url') value='text' ;;
    'alovoice notify test --to') value='text' ;;
    'alovoice notify test --columns') value='text' ;;
    'alovoice notify test --timeout') value='text' ;;
    'alovoice notify login --timeout') value='text' ;;
    'alovoice trunks --columns') value='text' ;;
    'alovoice trunks --timeout') value='text' ;;
    'alovoice trunks --base-url') value='text' ;;
    'alovoice peers --status') value='choice:on off' ;;
    'alovoice peers --number') value='text' ;;
    'alovoice peers --columns') value='text' ;;
    'alovoice peers --timeout') value='text' ;;
    'alovoice peers --base-url') value='text' ;;
    'alovoice api -f' | 'alovoice api --raw-field') value='text' ;;
    'alovoice api -F' | 'alovoice api --field') value='text' ;;
    'alovoice api --input') value='file' ;;
    'alovoice api -H' | 'alovoice api --header') value='text' ;;
    'alovoice api --timeout') value='text' ;;
    'alovoice api --base-url') value='text' ;;
    'alovoice login --token-command') value='text' ;;
    'alovoice login --timeout') value='text' ;;
    'alovoice login --base-url') value='text' ;;
    'alovoice status --timeout') value='text' ;;
    'alovoice status --base-url') value='text' ;;
    'alovoice config --columns') value='text' ;;
    'alovoice config --timeout') value='text' ;;
    'alovoice config --base-url') value='text' ;;
    'alovoice config list --columns') value='text' ;;
    'alovoice sandbox --columns') value='text' ;;
    'alovoice sandbox --timeout') value='text' ;;
    'alovoice sandbox --base-url') value='text' ;;
    'alovoice sandbox serve --host') value='text' ;;
    'alovoice sandbox serve --port') value='text' ;;
    'alovoice sandbox serve --token') value='text' ;;
    'alovoice sandbox serve --speed') value='text' ;;
    'alovoice sandbox serve --seed') value='text' ;;
    'alovoice sandbox serve --fault') value='text' ;;
    'alovoice sandbox serve --state') value='file' ;;
    'alovoice sandbox serve --events-to') value='text' ;;
    'alovoice sandbox serve --inbound') value='text' ;;
    'alovoice sandbox serve --day') value='text' ;;
    'alovoice sandbox serve --chaos') value='text' ;;
    'alovoice skill --install') value='directory' ;;
  esac
}

_alovoice_offer_words() {
  local word
  while IFS= read -r word; do
    COMPREPLY+=("$word")
  done < <(compgen -W "$1" -- "$cur")
}

_alovoice_offer() {
  local name
  case $1 in
    # readline itself knows best about quotes, tildes and directories; only bash 3.2 cannot be asked for that.
    file) compopt -o default 2>/dev/null || _alovoice_offer_paths -f ;;
    directory) compopt -o dirnames 2>/dev/null || _alovoice_offer_paths -d ;;
    profile)
      while IFS= read -r name; do
        [[ $name == "$cur"* ]] && COMPREPLY+=("$(printf '%q' "$name")")
      done < <(_alovoice_profiles)
      ;;
    choice:*) _alovoice_offer_words "${1#choice:}" ;;
  esac
}

_alovoice_offer_paths() {
  local name
  while IFS= read -r name; do
    COMPREPLY+=("$name")
  done < <(compgen "$1" -- "$cur")
}

_alovoice() {
  local cur=${COMP_WORDS[COMP_CWORD]} path=alovoice commands options value='' pending='' word argument
  local -a arguments
  local -i at place=0 joined=0 words_only=0
  COMPREPLY=()
  _alovoice_command "$path"
  for ((at = 1; at <= COMP_CWORD; at++)); do
    word=${COMP_WORDS[at]}
    # bash cuts words at = : and @; only the value of --option=value is a word for us.
    if [[ $word == [=:@]* ]]; then
      [[ $word == '=' && -n $pending ]] || joined=1
      ((at == COMP_CWORD)) && cur=''
      continue
    fi
    ((at == COMP_CWORD)) && break
    if ((joined)); then
      joined=0
    elif [[ -n $pending ]]; then
      pending=''
    elif [[ $word == -- && $words_only -eq 0 ]]; then
      words_only=1
    elif [[ $word == -* && $words_only -eq 0 ]]; then
      _alovoice_option "$path" "$word"
      pending=$value
    elif [[ " $commands " == *" $word "* ]]; then
      path+=" $word"
      _alovoice_command "$path"
    else
      place+=1
    fi
  done
  ((joined)) && return
  if [[ -n $pending ]]; then
    _alovoice_offer "$pending"
  elif [[ $cur == -* && $words_only -eq 0 ]]; then
    _alovoice_offer_words "$options -p --profile --json -q --quiet -v --verbose --color --lang --no-permission-check -V --version -h --help"
  elif [[ -n $commands ]]; then
    _alovoice_offer_words "$commands"
  elif [[ -z $cur && ${#arguments[@]} -eq 0 && $words_only -eq 0 ]]; then
    _alovoice_offer_words "$options"
  else
    argument=${arguments[place]-}
    if [[ -z $argument && ${#arguments[@]} -gt 0 ]]; then
      argument=${arguments[${#arguments[@]} - 1]}
      [[ $argument == \** ]] || argument=''
    fi
    _alovoice_offer "${argument#\*}"
  fi
}

complete -F _alovoice alovoice
