# bash completion for alovoice, written by `alovoice completion bash`.

# The names of the profiles: the tables of config.toml, and the one that always exists.
_alovoice_profiles() {
  local -a files
  local config=$HOME/.config
  # A relative path in XDG_CONFIG_HOME is to be ignored: XDG Base Directory Specification.
  [[ ${XDG_CONFIG_HOME-} == /* ]] && config=$XDG_CONFIG_HOME
  files=("$config/alovoice/config.toml" "$HOME/Library/Application Support/alovoice/config.toml")
  [[ -n ${ALOVOICE_CONFIG_DIR-} ]] && files=("$ALOVOICE_CONFIG_DIR/config.toml")
  echo sandbox
  sed -n -e 's/^[[:space:]]*\[[[:space:]]*profiles[[:space:]]*\.[[:space:]]*\([A-Za-z0-9_-]\{1,\}\)[[:space:]]*[].].*/\1/p' -e 's/^[[:space:]]*\[[[:space:]]*profiles[[:space:]]*\.[[:space:]]*"\([^"\\]*\)"[[:space:]]*[].].*/\1/p' "${files[@]}" 2>/dev/null
}

# Sets commands, options and arguments to what the command of this path takes; an argument with * takes all that follow.
_alovoice_command() {
  commands='' options='' arguments=()
  case $1 in
    alovoice) commands='autorule trunks peers call ai api login logout status config sandbox demo completion' ;;
    'alovoice autorule') commands='create get' ;;
    'alovoice autorule create') options='--record --from --to --fromtime --totime --recipients --recipient --name --trunks --maxline --goodtime --tryes --paused --no-paused --timezone' ;;
    'alovoice autorule get') arguments=(text) ;;
    'alovoice trunks') : ;;
    'alovoice peers') options='--status --number --show-secrets' ;;
    'alovoice call') commands='conference ivr out receipts' ;;
    'alovoice call conference') options='--callfrom --from --callto --to --queue --extid --encoding' ;;
    'alovoice call ivr') options='--callto --to --ivrid --ivr --fromline --line --lang --extid --encoding' ;;
    'alovoice call out') options='--inner-phone --from --number --to --call-id --user-id --encoding' ;;
    'alovoice call receipts') commands='list show' ;;
    'alovoice call receipts list') options=--limit ;;
    'alovoice call receipts show') arguments=(text) ;;
    'alovoice ai') commands='send result audio' ;;
    'alovoice ai send') arguments=('*text') ;;
    'alovoice ai result') arguments=(text) ;;
    'alovoice ai audio') options='-o --output --force' arguments=(text) ;;
    'alovoice api') options='-f --raw-field -F --field --input -H --header -i --include --show-secrets' arguments=(text text) ;;
    'alovoice login') options='--with-token --token-command --no-check' ;;
    'alovoice logout') arguments=(profile) ;;
    'alovoice status') options=--offline ;;
    'alovoice config') commands='list get set unset use path' ;;
    'alovoice config list') : ;;
    'alovoice config get') arguments=(text) ;;
    'alovoice config set') arguments=(text text) ;;
    'alovoice config unset') arguments=(text) ;;
    'alovoice config use') arguments=(profile) ;;
    'alovoice config path') : ;;
    'alovoice sandbox') commands='serve reset path' ;;
    'alovoice sandbox serve') options='--host --port --token --speed --seed --fault --state' ;;
    'alovoice sandbox reset') : ;;
    'alovoice sandbox path') : ;;
    'alovoice demo') : ;;
    'alovoice completion') arguments=('choice:bash zsh fish') ;;
  esac
}

# Sets value to the kind of word that follows this option of the command of this path: nothing after a flag.
_alovoice_option() {
  value=''
  case $2 in
    -p | --profile) value='profile' ;;
    --columns) value='text' ;;
    --color) value='choice:auto always never' ;;
    --timeout) value='text' ;;
    --base-url) value='text' ;;
  esac
  case "$1 $2" in
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
    'alovoice peers --status') value='choice:on off' ;;
    'alovoice peers --number') value='text' ;;
    'alovoice call conference --callfrom' | 'alovoice call conference --from') value='text' ;;
    'alovoice call conference --callto' | 'alovoice call conference --to') value='text' ;;
    'alovoice call conference --queue') value='text' ;;
    'alovoice call conference --extid') value='text' ;;
    'alovoice call conference --encoding') value='choice:json multipart form vendor-curl' ;;
    'alovoice call ivr --callto' | 'alovoice call ivr --to') value='text' ;;
    'alovoice call ivr --ivrid' | 'alovoice call ivr --ivr') value='text' ;;
    'alovoice call ivr --fromline' | 'alovoice call ivr --line') value='text' ;;
    'alovoice call ivr --lang') value='text' ;;
    'alovoice call ivr --extid') value='text' ;;
    'alovoice call ivr --encoding') value='choice:json multipart form vendor-curl' ;;
    'alovoice call out --inner-phone' | 'alovoice call out --from') value='text' ;;
    'alovoice call out --number' | 'alovoice call out --to') value='text' ;;
    'alovoice call out --call-id') value='text' ;;
    'alovoice call out --user-id') value='text' ;;
    'alovoice call out --encoding') value='choice:json multipart form vendor-curl' ;;
    'alovoice call receipts list --limit') value='text' ;;
    'alovoice ai audio -o' | 'alovoice ai audio --output') value='file' ;;
    'alovoice api -f' | 'alovoice api --raw-field') value='text' ;;
    'alovoice api -F' | 'alovoice api --field') value='text' ;;
    'alovoice api --input') value='file' ;;
    'alovoice api -H' | 'alovoice api --header') value='text' ;;
    'alovoice login --token-command') value='text' ;;
    'alovoice sandbox serve --host') value='text' ;;
    'alovoice sandbox serve --port') value='text' ;;
    'alovoice sandbox serve --token') value='text' ;;
    'alovoice sandbox serve --speed') value='text' ;;
    'alovoice sandbox serve --seed') value='text' ;;
    'alovoice sandbox serve --fault') value='text' ;;
    'alovoice sandbox serve --state') value='file' ;;
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
    _alovoice_offer_words "$options -p --profile --json --csv --columns --no-headers -q --quiet -v --verbose --color --timeout --base-url -y --yes --dry-run --version -h --help"
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
