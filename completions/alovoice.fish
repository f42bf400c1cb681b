# fish completion for alovoice, written by `alovoice completion fish`.

# The names of the profiles: the tables of config.toml, and the one that always exists.
function __alovoice_profiles
    set -l files "$HOME/.config/alovoice/config.toml" "$HOME/Library/Application Support/alovoice/config.toml"
    if test -n "$ALOVOICE_CONFIG_DIR"
        set files "$ALOVOICE_CONFIG_DIR/config.toml"
    else if string match -q -- '/*' "$XDG_CONFIG_HOME" # a relative path is to be ignored: the XDG specification
        set files[1] "$XDG_CONFIG_HOME/alovoice/config.toml"
    end
    echo sandbox
    sed -n -e 's/^[[:space:]]*\\[[[:space:]]*profiles[[:space:]]*\\.[[:space:]]*\\([A-Za-z0-9_-]\\{1,\\}\\)[[:space:]]*[].].*/\\1/p' -e 's/^[[:space:]]*\\[[[:space:]]*profiles[[:space:]]*\\.[[:space:]]*"\\([^"\\\\]*\\)"[[:space:]]*[].].*/\\1/p' $files 2>/dev/null
end

# Whether the words before the cursor name the command of this path; with a second word, whether that many others follow
# it; with a third, whether that many or more do.
function __alovoice_at
    set -l words (commandline -opc)
    set -l path alovoice
    set -l place 0
    set -l pending 0
    set -l words_only 0
    for word in $words[2..-1]
        if test $pending -eq 1
            set pending 0
        else if test $words_only -eq 0; and test "$word" = --
            set words_only 1
        else if test $words_only -eq 0; and string match -q -- '-*' $word
            if contains -- "$word" $__alovoice_common_with_value; or contains -- "$path $word" $__alovoice_with_value
                set pending 1
            end
        else if contains -- "$path $word" $__alovoice_paths
            set path "$path $word"
        else
            set place (math $place + 1)
        end
    end
    test "$path" = "$argv[1]"; or return 1
    set -q argv[2]; or return 0
    set -q argv[3]; and test $place -gt $argv[2]; and return 0
    test $place -eq $argv[2]
end

set -g __alovoice_paths 'alovoice autorule' 'alovoice autorule create' 'alovoice autorule get' 'alovoice trunks' 'alovoice peers' 'alovoice call' 'alovoice call conference' 'alovoice call ivr' 'alovoice call out' 'alovoice call receipts' 'alovoice call receipts list' 'alovoice call receipts show' 'alovoice ai' 'alovoice ai send' 'alovoice ai result' 'alovoice ai audio' 'alovoice api' 'alovoice login' 'alovoice logout' 'alovoice status' 'alovoice config' 'alovoice config list' 'alovoice config get' 'alovoice config set' 'alovoice config unset' 'alovoice config use' 'alovoice config path' 'alovoice sandbox' 'alovoice sandbox serve' 'alovoice sandbox reset' 'alovoice sandbox path' 'alovoice demo' 'alovoice completion'
set -g __alovoice_common_with_value '-p' '--profile' '--columns' '--color' '--timeout' '--base-url'
set -g __alovoice_with_value 'alovoice autorule create --record' 'alovoice autorule create --from' 'alovoice autorule create --to' 'alovoice autorule create --fromtime' 'alovoice autorule create --totime' 'alovoice autorule create --recipients' 'alovoice autorule create --recipient' 'alovoice autorule create --name' 'alovoice autorule create --trunks' 'alovoice autorule create --maxline' 'alovoice autorule create --goodtime' 'alovoice autorule create --tryes' 'alovoice autorule create --timezone' 'alovoice peers --status' 'alovoice peers --number' 'alovoice call conference --callfrom' 'alovoice call conference --from' 'alovoice call conference --callto' 'alovoice call conference --to' 'alovoice call conference --queue' 'alovoice call conference --extid' 'alovoice call conference --encoding' 'alovoice call ivr --callto' 'alovoice call ivr --to' 'alovoice call ivr --ivrid' 'alovoice call ivr --ivr' 'alovoice call ivr --fromline' 'alovoice call ivr --line' 'alovoice call ivr --lang' 'alovoice call ivr --extid' 'alovoice call ivr --encoding' 'alovoice call out --inner-phone' 'alovoice call out --from' 'alovoice call out --number' 'alovoice call out --to' 'alovoice call out --call-id' 'alovoice call out --user-id' 'alovoice call out --encoding' 'alovoice call receipts list --limit' 'alovoice ai audio -o' 'alovoice ai audio --output' 'alovoice api -f' 'alovoice api --raw-field' 'alovoice api -F' 'alovoice api --field' 'alovoice api --input' 'alovoice api -H' 'alovoice api --header' 'alovoice login --token-command' 'alovoice sandbox serve --host' 'alovoice sandbox serve --port' 'alovoice sandbox serve --token' 'alovoice sandbox serve --speed' 'alovoice sandbox serve --seed' 'alovoice sandbox serve --fault' 'alovoice sandbox serve --state'

complete -c alovoice -e
complete -c alovoice -f
complete -c alovoice -s p -l profile -x -a '(__alovoice_profiles)' -d 'The PBX to use.'
complete -c alovoice -l json -d 'Print JSON: the server\'s own fields, whole.'
complete -c alovoice -l csv -d 'Print CSV (lists).'
complete -c alovoice -l columns -x -d 'Only these columns (lists).'
complete -c alovoice -l no-headers -d 'No header line.'
complete -c alovoice -s q -l quiet -d 'No remarks and no progress.'
complete -c alovoice -s v -l verbose -d 'Each request and answer on stderr, masked.'
complete -c alovoice -l color -x -a 'auto always never' -d 'auto, always or never.'
complete -c alovoice -l timeout -x -d 'For the whole conversation; 30 by default.'
complete -c alovoice -l base-url -x -d 'The server, else the profile\'s.'
complete -c alovoice -s y -l yes -d 'Ask no questions.'
complete -c alovoice -l dry-run -d 'Print the request that would change something, and its curl; send nothing.'
complete -c alovoice -l version -d 'Print the version.'
complete -c alovoice -s h -l help -d 'Show this help.'
complete -c alovoice -n '__alovoice_at \'alovoice\' 0' -a 'autorule' -d 'Auto-dial campaigns: create one, read one'
complete -c alovoice -n '__alovoice_at \'alovoice\' 0' -a 'trunks' -d 'The PBX\'s lines, by which campaigns dial and calls come in'
complete -c alovoice -n '__alovoice_at \'alovoice\' 0' -a 'peers' -d 'The PBX\'s extensions'
complete -c alovoice -n '__alovoice_at \'alovoice\' 0' -a 'call' -d 'Place one call; read the receipts'
complete -c alovoice -n '__alovoice_at \'alovoice\' 0' -a 'ai' -d 'Speech analysis of recorded calls'
complete -c alovoice -n '__alovoice_at \'alovoice\' 0' -a 'api' -d 'Send any request to the PBX'
complete -c alovoice -n '__alovoice_at \'alovoice\' 0' -a 'login' -d 'Store the token of a PBX under a profile (-p NAME; the settings page of the PBX has a button that copies it)'
complete -c alovoice -n '__alovoice_at \'alovoice\' 0' -a 'logout' -d 'Forget the token of a profile'
complete -c alovoice -n '__alovoice_at \'alovoice\' 0' -a 'status' -d 'Show what is in force: profile, server, token, where things are kept; and whether the PBX takes the token'
complete -c alovoice -n '__alovoice_at \'alovoice\' 0' -a 'config' -d 'Profiles and their settings'
complete -c alovoice -n '__alovoice_at \'alovoice\' 0' -a 'sandbox' -d 'A simulated PBX with the same API'
complete -c alovoice -n '__alovoice_at \'alovoice\' 0' -a 'demo' -d 'A tour of the main job on the embedded PBX: no network, no token, nothing of yours is touched'
complete -c alovoice -n '__alovoice_at \'alovoice\' 0' -a 'completion' -d 'Print the completion script of a shell'
complete -c alovoice -n '__alovoice_at \'alovoice autorule\' 0' -a 'create' -d 'Create an auto-dial campaign'
complete -c alovoice -n '__alovoice_at \'alovoice autorule\' 0' -a 'get' -d 'Show a campaign: its window, its lines, its status, how many recipients it has'
complete -c alovoice -n '__alovoice_at \'alovoice autorule create\'' -l record -r -F -d 'What is played: an MP3 file.'
complete -c alovoice -n '__alovoice_at \'alovoice autorule create\'' -l from -x -d '2026.11.24, 2026-11-24, today, tomorrow or +3d.'
complete -c alovoice -n '__alovoice_at \'alovoice autorule create\'' -l to -x -d 'The last day, inclusive.'
complete -c alovoice -n '__alovoice_at \'alovoice autorule create\'' -l fromtime -x -d 'When calls begin, each day.'
complete -c alovoice -n '__alovoice_at \'alovoice autorule create\'' -l totime -x -d 'The last minute of calls, inclusive.'
complete -c alovoice -n '__alovoice_at \'alovoice autorule create\'' -l recipients -r -F -d 'Whom to call: a CSV file, or - for stdin.'
complete -c alovoice -n '__alovoice_at \'alovoice autorule create\'' -l recipient -x -d 'Whom to call, one by one; repeatable.'
complete -c alovoice -n '__alovoice_at \'alovoice autorule create\'' -l name -x -d 'Else the audio\'s name and an id.'
complete -c alovoice -n '__alovoice_at \'alovoice autorule create\'' -l trunks -x -d 'By which lines; else the profile\'s.'
complete -c alovoice -n '__alovoice_at \'alovoice autorule create\'' -l maxline -x -d 'Most lines at once; the PBX says 1.'
complete -c alovoice -n '__alovoice_at \'alovoice autorule create\'' -l goodtime -x -d 'Seconds that make a call successful; the PBX says 3.'
complete -c alovoice -n '__alovoice_at \'alovoice autorule create\'' -l tryes -x -d 'Attempts a number; the PBX says 2.'
complete -c alovoice -n '__alovoice_at \'alovoice autorule create\'' -l paused -l no-paused -d 'Do not start by itself.'
complete -c alovoice -n '__alovoice_at \'alovoice autorule create\'' -l timezone -x -d '\'utc +5\', +05:00 or Asia/Tashkent; else the profile\'s.'
complete -c alovoice -n '__alovoice_at \'alovoice peers\'' -l status -x -a 'on off' -d 'Only extensions that are on, or off.'
complete -c alovoice -n '__alovoice_at \'alovoice peers\'' -l number -x -d 'Only the extension of this number.'
complete -c alovoice -n '__alovoice_at \'alovoice peers\'' -l show-secrets -d 'Show passwords and tokens whole, not masked.'
complete -c alovoice -n '__alovoice_at \'alovoice call\' 0' -a 'conference' -d 'Ring one person and, when they answer, connect them: to whoever of a list answers first, or to a queue'
complete -c alovoice -n '__alovoice_at \'alovoice call\' 0' -a 'ivr' -d 'Ring somebody by one of the PBX\'s lines and play them a voice menu'
complete -c alovoice -n '__alovoice_at \'alovoice call\' 0' -a 'out' -d 'Ring an extension and, when it answers, a number, as a click in a CRM does'
complete -c alovoice -n '__alovoice_at \'alovoice call\' 0' -a 'receipts' -d 'What was asked of the PBX from this machine, and how it ended'
complete -c alovoice -n '__alovoice_at \'alovoice call conference\'' -l callfrom -l from -x -d 'Who is rung first: the initiator.'
complete -c alovoice -n '__alovoice_at \'alovoice call conference\'' -l callto -l to -x -d 'Who is rung then, in turn; repeatable.'
complete -c alovoice -n '__alovoice_at \'alovoice call conference\'' -l queue -x -d 'A queue instead of phones.'
complete -c alovoice -n '__alovoice_at \'alovoice call conference\'' -l extid -x -d 'Your id of the call; made if left out. Results carry it.'
complete -c alovoice -n '__alovoice_at \'alovoice call conference\'' -l encoding -x -a 'json multipart form vendor-curl' -d 'json, multipart, form or vendor-curl; else the profile\'s.'
complete -c alovoice -n '__alovoice_at \'alovoice call ivr\'' -l callto -l to -x -d 'Who is rung.'
complete -c alovoice -n '__alovoice_at \'alovoice call ivr\'' -l ivrid -l ivr -x -d 'The menu\'s id, from the web console.'
complete -c alovoice -n '__alovoice_at \'alovoice call ivr\'' -l fromline -l line -x -d 'The line to call by.'
complete -c alovoice -n '__alovoice_at \'alovoice call ivr\'' -l lang -x -d 'The menu\'s language: ru, uz.'
complete -c alovoice -n '__alovoice_at \'alovoice call ivr\'' -l extid -x -d 'Your id of the call; made if left out. Results carry it.'
complete -c alovoice -n '__alovoice_at \'alovoice call ivr\'' -l encoding -x -a 'json multipart form vendor-curl' -d 'json, multipart, form or vendor-curl; else the profile\'s.'
complete -c alovoice -n '__alovoice_at \'alovoice call out\'' -l inner-phone -l from -x -d 'The extension, rung first.'
complete -c alovoice -n '__alovoice_at \'alovoice call out\'' -l number -l to -x -d 'Who is rung when it answers.'
complete -c alovoice -n '__alovoice_at \'alovoice call out\'' -l call-id -x -d 'Your id of the call; made if left out.'
complete -c alovoice -n '__alovoice_at \'alovoice call out\'' -l user-id -x -d 'Your CRM\'s id of the user.'
complete -c alovoice -n '__alovoice_at \'alovoice call out\'' -l encoding -x -a 'json multipart form vendor-curl' -d 'json, multipart, form or vendor-curl; else the profile\'s.'
complete -c alovoice -n '__alovoice_at \'alovoice call receipts\' 0' -a 'list' -d 'List what was asked of the PBX, the latest first'
complete -c alovoice -n '__alovoice_at \'alovoice call receipts\' 0' -a 'show' -d 'Show one receipt whole: what was asked, when, and what is known of the outcome'
complete -c alovoice -n '__alovoice_at \'alovoice call receipts list\'' -l limit -x -d 'The latest N; 0 for all.'
complete -c alovoice -n '__alovoice_at \'alovoice ai\' 0' -a 'send' -d 'Start the analysis of recorded calls, one request a call'
complete -c alovoice -n '__alovoice_at \'alovoice ai\' 0' -a 'result' -d 'Show the analysis of a call: who said what and when, and its tags'
complete -c alovoice -n '__alovoice_at \'alovoice ai\' 0' -a 'audio' -d 'Save the stereo recording of an analysed call'
complete -c alovoice -n '__alovoice_at \'alovoice ai audio\'' -s o -l output -r -F -d 'Where to save it.'
complete -c alovoice -n '__alovoice_at \'alovoice ai audio\'' -l force -d 'Replace a file that is there.'
complete -c alovoice -n '__alovoice_at \'alovoice api\'' -s f -l raw-field -x -d 'A text field; repeatable.'
complete -c alovoice -n '__alovoice_at \'alovoice api\'' -s F -l field -x -d 'A field: number, true, false, null, @file; repeatable.'
complete -c alovoice -n '__alovoice_at \'alovoice api\'' -l input -r -F -d 'The body as it is; - for stdin.'
complete -c alovoice -n '__alovoice_at \'alovoice api\'' -s H -l header -x -d 'A header; repeatable.'
complete -c alovoice -n '__alovoice_at \'alovoice api\'' -s i -l include -d 'Print status and headers too.'
complete -c alovoice -n '__alovoice_at \'alovoice api\'' -l show-secrets -d 'Show passwords and tokens whole, not masked.'
complete -c alovoice -n '__alovoice_at \'alovoice login\'' -l with-token -d 'Read the token from stdin.'
complete -c alovoice -n '__alovoice_at \'alovoice login\'' -l token-command -x -d 'Store this command instead; it prints the token.'
complete -c alovoice -n '__alovoice_at \'alovoice login\'' -l no-check -d 'Do not ask the PBX whether it takes the token.'
complete -c alovoice -n '__alovoice_at \'alovoice logout\' 0' -a '(__alovoice_profiles)'
complete -c alovoice -n '__alovoice_at \'alovoice status\'' -l offline -d 'Ask the PBX nothing.'
complete -c alovoice -n '__alovoice_at \'alovoice config\' 0' -a 'list' -d 'List the profiles, which of them is in use, and where their tokens are'
complete -c alovoice -n '__alovoice_at \'alovoice config\' 0' -a 'get' -d 'Print the value that is in force, whether set or by default'
complete -c alovoice -n '__alovoice_at \'alovoice config\' 0' -a 'set' -d 'Set a setting of a profile, and keep the comments of the file'
complete -c alovoice -n '__alovoice_at \'alovoice config\' 0' -a 'unset' -d 'Remove a setting of a profile: its default holds again'
complete -c alovoice -n '__alovoice_at \'alovoice config\' 0' -a 'use' -d 'Use a profile from now on, wherever neither -p nor ALOVOICE_PROFILE names another'
complete -c alovoice -n '__alovoice_at \'alovoice config\' 0' -a 'path' -d 'Print where the configuration file is, or would be'
complete -c alovoice -n '__alovoice_at \'alovoice config use\' 0' -a '(__alovoice_profiles)'
complete -c alovoice -n '__alovoice_at \'alovoice sandbox\' 0' -a 'serve' -d 'Serve the simulated PBX over HTTP until Ctrl-C'
complete -c alovoice -n '__alovoice_at \'alovoice sandbox\' 0' -a 'reset' -d 'Make the embedded PBX as new: its campaigns, calls and analyses are gone, its token stays'
complete -c alovoice -n '__alovoice_at \'alovoice sandbox\' 0' -a 'path' -d 'Print where the embedded PBX keeps its state'
complete -c alovoice -n '__alovoice_at \'alovoice sandbox serve\'' -l host -x -d 'A loopback address.'
complete -c alovoice -n '__alovoice_at \'alovoice sandbox serve\'' -l port -x -d '0 picks a free one.'
complete -c alovoice -n '__alovoice_at \'alovoice sandbox serve\'' -l token -x -d 'The token to accept (no secret); else one made once.'
complete -c alovoice -n '__alovoice_at \'alovoice sandbox serve\'' -l speed -x -d 'Simulated seconds a second.'
complete -c alovoice -n '__alovoice_at \'alovoice sandbox serve\'' -l seed -x -d 'Makes a run repeatable.'
complete -c alovoice -n '__alovoice_at \'alovoice sandbox serve\'' -l fault -x -d 'What goes wrong, and how often.'
complete -c alovoice -n '__alovoice_at \'alovoice sandbox serve\'' -l state -r -F -d 'Its database; else the embedded PBX\'s own.'
complete -c alovoice -n '__alovoice_at \'alovoice completion\' 0' -a 'bash zsh fish'
