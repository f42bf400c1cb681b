# PowerShell completion for alovoice, written by `alovoice completion powershell`.

# The names of the profiles: the tables of config.toml, and those that always exist.
function __alovoice_profiles {
    'default', 'sandbox'
    # A relative path in XDG_CONFIG_HOME is to be ignored: XDG Base Directory Specification.
    $config = if ($env:XDG_CONFIG_HOME -like '/*') { $env:XDG_CONFIG_HOME } else { "$HOME/.config" }
    $folders = @("$config/alovoice", "$HOME/Library/Application Support/alovoice", "$env:LOCALAPPDATA/alovoice")
    if ($env:ALOVOICE_CONFIG_DIR) { $folders = @($env:ALOVOICE_CONFIG_DIR) }
    $table = '^\s*\[\s*profiles\s*\.\s*(?:"([^"\\]*)"|([A-Za-z0-9_-]+))\s*[\].]'
    foreach ($folder in $folders) {
        $file = "$folder/config.toml"
        if (Test-Path -LiteralPath $file) {
            foreach ($line in Get-Content -LiteralPath $file -Encoding UTF8) {
                if ($line -match $table) { "$($Matches[1])$($Matches[2])" }
            }
        }
    }
}

# The options that mean the same before a command and after it: spellings|kind of the word behind|help.
function __alovoice_common {
    '-p --profile|profile|Profile of the PBX to use.'
    '--json|flag|Print JSON with all fields of the server.'
    '-q --quiet|flag|Hide notes and progress.'
    '-v --verbose|flag|Print every request and response; secrets are masked.'
    '--color|choice:auto always never|Use colors: auto, always or never.'
    '--lang|choice:en ru uz|Language of texts and help pages: en, ru or uz (default: en).'
    '--no-permission-check|flag|Accept a config.toml that other users can change.'
    '-V --version|flag|Print the version.'
    '-h --help|flag|Print the help page of a command.'
}

# What the command of this path takes: commands (c, name|help), options (o), and kinds of arguments (a; * is for all
# that follow). Made at the first TAB, for it is long.
function __alovoice_command([string] $path) {
    if (-not $script:__alovoice_tree) {
        $script:__alovoice_tree = @{
            'alovoice' = @{
                c = @(
                    'autorule|Auto-dial campaigns: check, create, list, watch, report'
                    'numbers|Lists of phone numbers: check and clean'
                    'call|Call one number, or every number of a list'
                    'events|The history of calls and events that the PBX sent'
                    'store|An event store: check it, copy it to a server'
                    'day|Show a day: calls against targets, callers to call back'
                    'top|Show the current day, live'
                    'ai|Speech analysis of recorded calls: fetch, search, score'
                    'listen|Receive calls, results and route questions from the PBX'
                    'route|Routing rules: write, check, test, compare, override'
                    'notify|Messages about missed calls: the bot''s token, a test'
                    'trunks|List the lines of the PBX'
                    'peers|List the extensions of the PBX'
                    'api|Send any request to the PBX'
                    'login|Store the token of a PBX under a profile'
                    'logout|Delete the stored token of a profile'
                    'status|Show profile, server and token, and whether they work'
                    'config|Profiles and their settings'
                    'demo|Take a tour of the main tasks on a simulated PBX'
                    'sandbox|A simulated PBX with the same API'
                    'help|Show the help page of a command or a topic'
                    'skill|Print a page for AI agents about this program'
                    'completion|Print the completion script of a shell'
                    'version|Print the version'
                )
                o = @(
                    '--csv|flag|Print lists as CSV.'
                    '--columns|text|Show only these columns of a list.'
                    '--no-headers|flag|Leave out the line of headings.'
                    '--excel|flag|Write CSV for Excel: semicolons, local times.'
                    '--timeout|text|Time limit for the whole command (default: 30).'
                    '--base-url|text|URL of the PBX (default: the profile''s).'
                    '-y --yes|flag|Do not ask for confirmation.'
                    '--dry-run|flag|Print what would be sent or changed; do nothing.'
                )
            }
            'alovoice autorule' = @{
                c = @(
                    'create|Create an auto-dial campaign'
                    'check|Check a campaign as `autorule create` does, without creating it'
                    'get|Show a campaign: hours, lines, status, number of recipients'
                    'list|List the campaigns created from this computer, newest first'
                    'export|Print the options and files of a campaign as TOML'
                    'watch|Watch campaigns: a live table, or JSON lines in a pipe'
                    'report|Report the outcome of every row of a campaign''s list'
                )
                o = @(
                    '--csv|flag|Print lists as CSV.'
                    '--columns|text|Show only these columns of a list.'
                    '--no-headers|flag|Leave out the line of headings.'
                    '--excel|flag|Write CSV for Excel: semicolons, local times.'
                    '--timeout|text|Time limit for the whole command (default: 30).'
                    '--base-url|text|URL of the PBX (default: the profile''s).'
                    '-y --yes|flag|Do not ask for confirmation.'
                    '--dry-run|flag|Print what would be sent or changed; do nothing.'
                )
            }
            'alovoice autorule create' = @{
                o = @(
                    '--record|file|Audio file to play (MP3).'
                    '--from|text|First and last day: 2026-11-24, tomorrow, +3d.'
                    '--to|text|First and last day: 2026-11-24, tomorrow, +3d.'
                    '--fromtime|text|Daily calling hours, last minute included.'
                    '--totime|text|Daily calling hours, last minute included.'
                    '--recipients|file|List of numbers: CSV or workbook; - for stdin.'
                    '--recipient|text|One number; repeatable.'
                    '--name|text|Name (default: name of the audio file and an id).'
                    '--trunks|text|Lines to call from (default: the profile''s).'
                    '--maxline|text|Maximum lines used at once (PBX default: 1).'
                    '--goodtime|text|Talk seconds of a successful call (PBX default: 3).'
                    '--tryes|text|Attempts per number (PBX default: 2).'
                    '--paused --no-paused|flag|Create the campaign paused.'
                    '--timezone|text|Time zone, such as +05:00 (default: the profile''s).'
                    '--encoding|text|Encoding of the list (default: detected).'
                    '--column|text|Columns to search for a number (default: detected).'
                    '--sheet|text|Sheet of the workbook (default: the first).'
                    '--header-line|text|Line of the headings; lines above it are skipped.'
                    '--exclude|file|Do-not-call file: CSV or workbook; repeatable.'
                    '--exclude-unread-ok|flag|Ignore unreadable entries of do-not-call files.'
                    '--exclude-called|text|Skip numbers called by campaigns of this computer.'
                    '--clean|flag|Upload the cleaned list; OUT.csv: only write it.'
                    '--rejected|file|Write the rows that are left out, with reasons.'
                    '--night-ok|flag|Allow quiet hours, Sundays and holidays.'
                    '--allow-duplicate|flag|Allow the same campaign again within 24 hours.'
                    '--override-limit|text|Ignore this limit of the profile; repeatable.'
                    '--no-check|flag|Skip checks that only warn, but not quiet hours.'
                    '--from-file|file|Read options from a campaign.toml (see export).'
                    '--like|text|Copy the options of this campaign (id or receipt).'
                    '--split|text|Create several campaigns, N recipients per day.'
                    '--split-from|text|Continue with this part after a failure.'
                    '--confirm|text|Agree to exactly N recipients.'
                    '--no-headers|flag|Leave out the line of headings.'
                    '--excel|flag|Write CSV for Excel: semicolons, local times.'
                    '--timeout|text|Time limit for the whole command (default: 30).'
                    '--base-url|text|URL of the PBX (default: the profile''s).'
                    '-y --yes|flag|Do not ask for confirmation.'
                    '--dry-run|flag|Print what would be sent or changed; do nothing.'
                )
                a = @(
                    'file'
                )
            }
            'alovoice autorule check' = @{
                o = @(
                    '--record|file|Audio file to play (MP3).'
                    '--from|text|First and last day: 2026-11-24, tomorrow, +3d.'
                    '--to|text|First and last day: 2026-11-24, tomorrow, +3d.'
                    '--fromtime|text|Daily calling hours, last minute included.'
                    '--totime|text|Daily calling hours, last minute included.'
                    '--recipients|file|List of numbers: CSV or workbook; - for stdin.'
                    '--recipient|text|One number; repeatable.'
                    '--name|text|Name (default: name of the audio file and an id).'
                    '--trunks|text|Lines to call from (default: the profile''s).'
                    '--maxline|text|Maximum lines used at once (PBX default: 1).'
                    '--goodtime|text|Talk seconds of a successful call (PBX default: 3).'
                    '--tryes|text|Attempts per number (PBX default: 2).'
                    '--paused --no-paused|flag|Create the campaign paused.'
                    '--timezone|text|Time zone, such as +05:00 (default: the profile''s).'
                    '--encoding|text|Encoding of the list (default: detected).'
                    '--column|text|Columns to search for a number (default: detected).'
                    '--sheet|text|Sheet of the workbook (default: the first).'
                    '--header-line|text|Line of the headings; lines above it are skipped.'
                    '--exclude|file|Do-not-call file: CSV or workbook; repeatable.'
                    '--exclude-unread-ok|flag|Ignore unreadable entries of do-not-call files.'
                    '--exclude-called|text|Skip numbers called by campaigns of this computer.'
                    '--clean|flag|Upload the cleaned list; OUT.csv: only write it.'
                    '--rejected|file|Write the rows that are left out, with reasons.'
                    '--night-ok|flag|Allow quiet hours, Sundays and holidays.'
                    '--allow-duplicate|flag|Allow the same campaign again within 24 hours.'
                    '--override-limit|text|Ignore this limit of the profile; repeatable.'
                    '--no-check|flag|Skip checks that only warn, but not quiet hours.'
                    '--from-file|file|Read options from a campaign.toml (see export).'
                    '--like|text|Copy the options of this campaign (id or receipt).'
                    '--split|text|Create several campaigns, N recipients per day.'
                    '--forecast|flag|Simulate the dialling: when it ends, what it costs.'
                    '--answer-rate|text|Share of answered calls: 0.4 or 40%.'
                    '--seconds-per-call|text|Average talk time in seconds.'
                    '--tariff|text|Price of a minute of talk.'
                    '--seed|text|Seed of the random numbers.'
                    '--csv|flag|Print lists as CSV.'
                    '--columns|text|Show only these columns of a list.'
                    '--no-headers|flag|Leave out the line of headings.'
                    '--excel|flag|Write CSV for Excel: semicolons, local times.'
                    '--timeout|text|Time limit for the whole command (default: 30).'
                    '--base-url|text|URL of the PBX (default: the profile''s).'
                )
                a = @(
                    'file'
                )
            }
            'alovoice autorule get' = @{
                o = @(
                    '--no-headers|flag|Leave out the line of headings.'
                    '--timeout|text|Time limit for the whole command (default: 30).'
                    '--base-url|text|URL of the PBX (default: the profile''s).'
                )
                a = @(
                    'text'
                )
            }
            'alovoice autorule list' = @{
                o = @(
                    '--status|text|Only campaigns with this status: new, done, unknown, refused.'
                    '--since|text|Only campaigns created since then.'
                    '--store|text|Store that computers share: postgresql://... (default: the profile''s).'
                    '--refresh|flag|Ask the PBX for the current status of each campaign.'
                    '--csv|flag|Print lists as CSV.'
                    '--columns|text|Show only these columns of a list.'
                    '--no-headers|flag|Leave out the line of headings.'
                    '--excel|flag|Write CSV for Excel: semicolons, local times.'
                    '--timeout|text|Time limit for the whole command (default: 30).'
                    '--base-url|text|URL of the PBX (default: the profile''s).'
                )
            }
            'alovoice autorule export' = @{
                a = @(
                    'text'
                )
            }
            'alovoice autorule watch' = @{
                o = @(
                    '--interval|text|How often to check: 10s, 5m (default: automatic).'
                    '--until|text|Stop when all have this status (default: finished).'
                    '--wait|text|Stop after this time, with exit code 9.'
                    '--no-headers|flag|Leave out the line of headings.'
                    '--timeout|text|Time limit for the whole command (default: 30).'
                    '--base-url|text|URL of the PBX (default: the profile''s).'
                )
                a = @(
                    '*text'
                )
            }
            'alovoice autorule report' = @{
                o = @(
                    '--unreached|file|Write the rows to call again, with all their columns.'
                    '--include|text|Add short, unknown or ambiguous rows to --unreached.'
                    '--by|choice:status hour line attempt|Count the attempts by status, hour, line or attempt.'
                    '--html|file|Write a self-contained HTML page.'
                    '--force|flag|Replace existing files.'
                    '--recipients|file|List of a campaign that an older version created.'
                    '--column|text|Columns to search for a number (default: detected).'
                    '--store|text|Event store (default: the profile''s).'
                    '--csv|flag|Print lists as CSV.'
                    '--columns|text|Show only these columns of a list.'
                    '--no-headers|flag|Leave out the line of headings.'
                    '--excel|flag|Write CSV for Excel: semicolons, local times.'
                )
                a = @(
                    'text'
                )
            }
            'alovoice numbers' = @{
                c = @(
                    'check|Check a list of phone numbers as `autorule create` does'
                )
                o = @(
                    '--csv|flag|Print lists as CSV.'
                    '--columns|text|Show only these columns of a list.'
                    '--no-headers|flag|Leave out the line of headings.'
                    '--excel|flag|Write CSV for Excel: semicolons, local times.'
                    '--timeout|text|Time limit for the whole command (default: 30).'
                    '--base-url|text|URL of the PBX (default: the profile''s).'
                    '-y --yes|flag|Do not ask for confirmation.'
                    '--dry-run|flag|Print what would be sent or changed; do nothing.'
                )
            }
            'alovoice numbers check' = @{
                o = @(
                    '--encoding|text|Encoding of the list (default: detected).'
                    '--column|text|Columns to search for a number (default: detected).'
                    '--sheet|text|Sheet of the workbook (default: the first).'
                    '--header-line|text|Line of the headings; lines above it are skipped.'
                    '--exclude|file|Do-not-call file: CSV or workbook; repeatable.'
                    '--exclude-unread-ok|flag|Ignore unreadable entries of do-not-call files.'
                    '--exclude-called|text|Skip numbers called by campaigns of this computer.'
                    '--clean|file|Write the cleaned list.'
                    '--rejected|file|Write the rows that are left out, with reasons.'
                    '--csv|flag|Print lists as CSV.'
                    '--columns|text|Show only these columns of a list.'
                    '--no-headers|flag|Leave out the line of headings.'
                    '--excel|flag|Write CSV for Excel: semicolons, local times.'
                )
                a = @(
                    'file'
                )
            }
            'alovoice call' = @{
                c = @(
                    'conference|Call one person, then connect them to others or to a queue'
                    'ivr|Call a number and play it a voice menu'
                    'out|Call an extension and, when it answers, a number'
                    'resolve|Find out from the received events whether a call rang'
                    'batches|Batches of calls: list, show, resume, forget'
                    'receipts|Records of all requests that dial, create or cost money'
                )
                o = @(
                    '--csv|flag|Print lists as CSV.'
                    '--columns|text|Show only these columns of a list.'
                    '--no-headers|flag|Leave out the line of headings.'
                    '--excel|flag|Write CSV for Excel: semicolons, local times.'
                    '--timeout|text|Time limit for the whole command (default: 30).'
                    '--base-url|text|URL of the PBX (default: the profile''s).'
                    '-y --yes|flag|Do not ask for confirmation.'
                    '--dry-run|flag|Print what would be sent or changed; do nothing.'
                )
            }
            'alovoice call conference' = @{
                o = @(
                    '--callfrom --from|text|Initiator: the number that is called first.'
                    '--callto --to|text|Numbers that are called then, in turn; repeatable.'
                    '--queue|text|Queue to connect, instead of --callto.'
                    '--extid|text|Your id of the call, for its result (default: new).'
                    '--encoding|choice:json multipart form vendor-curl|Format: json, multipart, form or vendor-curl.'
                    '--wait|text|Follow the call to its end: 90s, 5m; alone: 90s.'
                    '--no-check|flag|Call numbers that no numbering plan knows.'
                    '--batch|file|CSV, workbook or JSON Lines; columns are options.'
                    '--map|text|Column that holds an option''s value; repeatable.'
                    '--confirm|text|Agree to exactly N recipients.'
                    '--list-encoding|text|Encoding of the list (default: detected).'
                    '--sheet|text|Sheet of the workbook (default: the first).'
                    '--header-line|text|Line of the headings; lines above it are skipped.'
                    '--exclude|file|Do-not-call file: CSV or workbook; repeatable.'
                    '--exclude-unread-ok|flag|Ignore unreadable entries of do-not-call files.'
                    '--each-row|flag|Call a number once for every row that has it.'
                    '--allow-duplicate|flag|Send rows again that were sent within 24 hours.'
                    '--jobs|text|Requests at once (default: 1).'
                    '--rate|text|Maximum requests per second, minute or hour.'
                    '--window|text|Send only in these hours (time zone: profile''s).'
                    '--stop-after-failures|text|Stop after this many failed rows.'
                    '--report|file|Write the rows with their outcomes.'
                    '--journal|text|Journal of what was sent (default: by the list).'
                    '--shared|flag|Share the rows with other computers (PostgreSQL).'
                    '--store|text|Store that computers share (default: the profile''s).'
                    '--restart|flag|Send all rows again; asks first.'
                    '--changed-ok|flag|Accept a changed list: its new rows are sent.'
                    '--retry-refused|flag|Send refused rows again.'
                    '--resend-unknown|flag|Ask for each unknown row whether to send it again.'
                    '--accept-risk|flag|Accept that unknown or sent rows may ring twice.'
                    '--night-ok|flag|Allow calls in the profile''s quiet hours.'
                    '--override-limit|text|Ignore this limit of the profile; repeatable.'
                    '--no-headers|flag|Leave out the line of headings.'
                    '--excel|flag|Write CSV for Excel: semicolons, local times.'
                    '--timeout|text|Time limit for the whole command (default: 30).'
                    '--base-url|text|URL of the PBX (default: the profile''s).'
                    '-y --yes|flag|Do not ask for confirmation.'
                    '--dry-run|flag|Print what would be sent or changed; do nothing.'
                )
            }
            'alovoice call ivr' = @{
                o = @(
                    '--callto --to|text|Number to call.'
                    '--ivrid --ivr|text|Id of the voice menu, from the web console.'
                    '--fromline --line|text|Line to call from.'
                    '--lang|text|Language of the menu: ru, uz.'
                    '--extid|text|Your id of the call, for its result (default: new).'
                    '--encoding|choice:json multipart form vendor-curl|Format: json, multipart, form or vendor-curl.'
                    '--wait|text|Follow the call to its end: 90s, 5m; alone: 90s.'
                    '--no-check|flag|Call numbers that no numbering plan knows.'
                    '--batch|file|CSV, workbook or JSON Lines; columns are options.'
                    '--map|text|Column that holds an option''s value; repeatable.'
                    '--confirm|text|Agree to exactly N recipients.'
                    '--list-encoding|text|Encoding of the list (default: detected).'
                    '--sheet|text|Sheet of the workbook (default: the first).'
                    '--header-line|text|Line of the headings; lines above it are skipped.'
                    '--exclude|file|Do-not-call file: CSV or workbook; repeatable.'
                    '--exclude-unread-ok|flag|Ignore unreadable entries of do-not-call files.'
                    '--each-row|flag|Call a number once for every row that has it.'
                    '--allow-duplicate|flag|Send rows again that were sent within 24 hours.'
                    '--jobs|text|Requests at once (default: 1).'
                    '--rate|text|Maximum requests per second, minute or hour.'
                    '--window|text|Send only in these hours (time zone: profile''s).'
                    '--stop-after-failures|text|Stop after this many failed rows.'
                    '--report|file|Write the rows with their outcomes.'
                    '--journal|text|Journal of what was sent (default: by the list).'
                    '--shared|flag|Share the rows with other computers (PostgreSQL).'
                    '--store|text|Store that computers share (default: the profile''s).'
                    '--restart|flag|Send all rows again; asks first.'
                    '--changed-ok|flag|Accept a changed list: its new rows are sent.'
                    '--retry-refused|flag|Send refused rows again.'
                    '--resend-unknown|flag|Ask for each unknown row whether to send it again.'
                    '--accept-risk|flag|Accept that unknown or sent rows may ring twice.'
                    '--night-ok|flag|Allow calls in the profile''s quiet hours.'
                    '--override-limit|text|Ignore this limit of the profile; repeatable.'
                    '--no-headers|flag|Leave out the line of headings.'
                    '--excel|flag|Write CSV for Excel: semicolons, local times.'
                    '--timeout|text|Time limit for the whole command (default: 30).'
                    '--base-url|text|URL of the PBX (default: the profile''s).'
                    '-y --yes|flag|Do not ask for confirmation.'
                    '--dry-run|flag|Print what would be sent or changed; do nothing.'
                )
            }
            'alovoice call out' = @{
                o = @(
                    '--inner-phone --from|text|Extension that is called first.'
                    '--number --to|text|Number that is called when the extension answers.'
                    '--call-id|text|Your id of the call (default: new).'
                    '--user-id|text|Id of the user in your CRM.'
                    '--encoding|choice:json multipart form vendor-curl|Format: json, multipart, form or vendor-curl.'
                    '--wait|text|Follow the call to its end: 90s, 5m; alone: 90s.'
                    '--no-check|flag|Call numbers that no numbering plan knows.'
                    '--batch|file|CSV, workbook or JSON Lines; columns are options.'
                    '--map|text|Column that holds an option''s value; repeatable.'
                    '--confirm|text|Agree to exactly N recipients.'
                    '--list-encoding|text|Encoding of the list (default: detected).'
                    '--sheet|text|Sheet of the workbook (default: the first).'
                    '--header-line|text|Line of the headings; lines above it are skipped.'
                    '--exclude|file|Do-not-call file: CSV or workbook; repeatable.'
                    '--exclude-unread-ok|flag|Ignore unreadable entries of do-not-call files.'
                    '--each-row|flag|Call a number once for every row that has it.'
                    '--allow-duplicate|flag|Send rows again that were sent within 24 hours.'
                    '--jobs|text|Requests at once (default: 1).'
                    '--rate|text|Maximum requests per second, minute or hour.'
                    '--window|text|Send only in these hours (time zone: profile''s).'
                    '--stop-after-failures|text|Stop after this many failed rows.'
                    '--report|file|Write the rows with their outcomes.'
                    '--journal|text|Journal of what was sent (default: by the list).'
                    '--shared|flag|Share the rows with other computers (PostgreSQL).'
                    '--store|text|Store that computers share (default: the profile''s).'
                    '--restart|flag|Send all rows again; asks first.'
                    '--changed-ok|flag|Accept a changed list: its new rows are sent.'
                    '--retry-refused|flag|Send refused rows again.'
                    '--resend-unknown|flag|Ask for each unknown row whether to send it again.'
                    '--accept-risk|flag|Accept that unknown or sent rows may ring twice.'
                    '--night-ok|flag|Allow calls in the profile''s quiet hours.'
                    '--override-limit|text|Ignore this limit of the profile; repeatable.'
                    '--no-headers|flag|Leave out the line of headings.'
                    '--excel|flag|Write CSV for Excel: semicolons, local times.'
                    '--timeout|text|Time limit for the whole command (default: 30).'
                    '--base-url|text|URL of the PBX (default: the profile''s).'
                    '-y --yes|flag|Do not ask for confirmation.'
                    '--dry-run|flag|Print what would be sent or changed; do nothing.'
                )
            }
            'alovoice call resolve' = @{
                o = @(
                    '--all|flag|All calls of this PBX with an unknown outcome.'
                    '--batch|text|Rows of this batch with an unknown outcome.'
                    '--wait|text|Search until it is known: 90s, 5m; alone: 90s.'
                    '--store|text|Event store (default: the profile''s).'
                    '--csv|flag|Print lists as CSV.'
                    '--columns|text|Show only these columns of a list.'
                    '--no-headers|flag|Leave out the line of headings.'
                    '--excel|flag|Write CSV for Excel: semicolons, local times.'
                )
                a = @(
                    'text'
                )
            }
            'alovoice call batches' = @{
                c = @(
                    'list|List the batches of this computer and their progress'
                    'show|Show a batch row by row'
                    'resume|Continue a batch from its journal'
                    'forget|Delete the journal of a batch'
                )
                o = @(
                    '--csv|flag|Print lists as CSV.'
                    '--columns|text|Show only these columns of a list.'
                    '--no-headers|flag|Leave out the line of headings.'
                    '--excel|flag|Write CSV for Excel: semicolons, local times.'
                    '--timeout|text|Time limit for the whole command (default: 30).'
                    '--base-url|text|URL of the PBX (default: the profile''s).'
                    '-y --yes|flag|Do not ask for confirmation.'
                    '--dry-run|flag|Print what would be sent or changed; do nothing.'
                )
            }
            'alovoice call batches list' = @{
                o = @(
                    '--store|text|Store that computers share: postgresql://... (default: the profile''s).'
                    '--csv|flag|Print lists as CSV.'
                    '--columns|text|Show only these columns of a list.'
                    '--no-headers|flag|Leave out the line of headings.'
                    '--excel|flag|Write CSV for Excel: semicolons, local times.'
                )
            }
            'alovoice call batches show' = @{
                o = @(
                    '--state|text|Only rows with this outcome: done, refused, unsent, unknown, pending, and so on.'
                    '--store|text|Store that computers share: postgresql://... (default: the profile''s).'
                    '--csv|flag|Print lists as CSV.'
                    '--columns|text|Show only these columns of a list.'
                    '--no-headers|flag|Leave out the line of headings.'
                    '--excel|flag|Write CSV for Excel: semicolons, local times.'
                )
                a = @(
                    'text'
                )
            }
            'alovoice call batches resume' = @{
                o = @(
                    '--confirm|text|Agree to exactly N recipients.'
                    '--exclude|file|Do-not-call file: CSV or workbook; repeatable.'
                    '--exclude-unread-ok|flag|Ignore unreadable entries of do-not-call files.'
                    '--jobs|text|Requests at once (default: 1).'
                    '--rate|text|Maximum requests per second, minute or hour.'
                    '--window|text|Send only in these hours (time zone: profile''s).'
                    '--stop-after-failures|text|Stop after this many failed rows.'
                    '--report|file|Write the rows with their outcomes.'
                    '--shared|flag|Share the rows with other computers (PostgreSQL).'
                    '--store|text|Store that computers share (default: the profile''s).'
                    '--retry-refused|flag|Send refused rows again.'
                    '--resend-unknown|flag|Ask for each unknown row whether to send it again.'
                    '--accept-risk|flag|Accept that unknown or sent rows may ring twice.'
                    '--night-ok|flag|Allow calls in the profile''s quiet hours.'
                    '--override-limit|text|Ignore this limit of the profile; repeatable.'
                    '--excel|flag|Write CSV for Excel: semicolons, local times.'
                    '--timeout|text|Time limit for the whole command (default: 30).'
                    '--base-url|text|URL of the PBX (default: the profile''s).'
                    '-y --yes|flag|Do not ask for confirmation.'
                )
                a = @(
                    'text'
                )
            }
            'alovoice call batches forget' = @{
                o = @(
                    '--accept-risk|flag|Delete it although rows are waiting or unknown.'
                    '--store|text|Store that computers share: postgresql://... (default: the profile''s).'
                    '-y --yes|flag|Do not ask for confirmation.'
                )
                a = @(
                    'text'
                )
            }
            'alovoice call receipts' = @{
                c = @(
                    'list|List the requests that dial, create or cost money, newest first'
                    'show|Show one receipt: the request, its time and its outcome'
                )
                o = @(
                    '--csv|flag|Print lists as CSV.'
                    '--columns|text|Show only these columns of a list.'
                    '--no-headers|flag|Leave out the line of headings.'
                    '--excel|flag|Write CSV for Excel: semicolons, local times.'
                    '--timeout|text|Time limit for the whole command (default: 30).'
                    '--base-url|text|URL of the PBX (default: the profile''s).'
                    '-y --yes|flag|Do not ask for confirmation.'
                    '--dry-run|flag|Print what would be sent or changed; do nothing.'
                )
            }
            'alovoice call receipts list' = @{
                o = @(
                    '--limit|text|Maximum number of rows; 0: all.'
                    '--store|text|Store that computers share: postgresql://... (default: the profile''s).'
                    '--csv|flag|Print lists as CSV.'
                    '--columns|text|Show only these columns of a list.'
                    '--no-headers|flag|Leave out the line of headings.'
                    '--excel|flag|Write CSV for Excel: semicolons, local times.'
                )
            }
            'alovoice call receipts show' = @{
                o = @(
                    '--store|text|Store that computers share: postgresql://... (default: the profile''s).'
                    '--no-headers|flag|Leave out the line of headings.'
                )
                a = @(
                    'text'
                )
            }
            'alovoice events' = @{
                c = @(
                    'list|List the events that the PBX sent, newest first'
                    'show|Show one call: its request, start, end and result'
                    'tail|Print the latest events, oldest first'
                    'stats|Count calls: answered, missed, unfinished; talk time'
                    'missed|List missed inbound calls, newest first, with reasons'
                    'gaps|List the times without a listener, and calls without an end'
                    'export|Print events as JSON lines or CSV, oldest first'
                    'import|Add events from another history'
                    'prune|Delete old events and calls'
                    'outbox|Events that wait to be forwarded: list, retry, drop'
                    'trigger|Send test events to a handler, as the PBX would'
                    'replay|Send stored events to a handler again'
                    'certify|Test a CRM''s handler with everything that the PBX may send'
                )
                o = @(
                    '--csv|flag|Print lists as CSV.'
                    '--columns|text|Show only these columns of a list.'
                    '--no-headers|flag|Leave out the line of headings.'
                    '--excel|flag|Write CSV for Excel: semicolons, local times.'
                    '--timeout|text|Time limit for the whole command (default: 30).'
                    '--base-url|text|URL of the PBX (default: the profile''s).'
                    '-y --yes|flag|Do not ask for confirmation.'
                    '--dry-run|flag|Print what would be sent or changed; do nothing.'
                )
            }
            'alovoice events list' = @{
                o = @(
                    '--limit|text|Maximum number of rows, newest first; 0: all.'
                    '--store|text|Event store (default: the profile''s).'
                    '--since|text|From this time on: 2h, 7d, today, yesterday, 14:30, ''2025-04-25 14:30'', with a time zone; or all.'
                    '--until|text|Up to this time; a day is included whole.'
                    '--type|text|callstart, callend, result, route, probe; several: a,b.'
                    '--number|text|Number of the other party; several: a,b.'
                    '--line|text|Line of the PBX.'
                    '--peer|text|Extension.'
                    '--status|text|Status code, such as 200, 304, 486, 603-S.'
                    '--where|text|Condition, such as ''status = 486 and duration < 5'' (see below).'
                    '--with-trials|flag|Include test events of `events trigger` and `certify`.'
                    '--csv|flag|Print lists as CSV.'
                    '--columns|text|Show only these columns of a list.'
                    '--no-headers|flag|Leave out the line of headings.'
                    '--excel|flag|Write CSV for Excel: semicolons, local times.'
                )
            }
            'alovoice events show' = @{
                o = @(
                    '--store|text|Event store (default: the profile''s).'
                    '--csv|flag|Print lists as CSV.'
                    '--columns|text|Show only these columns of a list.'
                    '--no-headers|flag|Leave out the line of headings.'
                    '--excel|flag|Write CSV for Excel: semicolons, local times.'
                )
                a = @(
                    'text'
                )
            }
            'alovoice events tail' = @{
                o = @(
                    '-f --follow|flag|Wait for new events until Ctrl-C.'
                    '-n --lines|text|Number of events to start with.'
                    '--type|text|callstart, callend, result, route, probe; several: a,b.'
                    '--number|text|Number of the other party; several: a,b.'
                    '--line|text|Line of the PBX.'
                    '--peer|text|Extension.'
                    '--status|text|Status code, such as 200, 304, 486, 603-S.'
                    '--where|text|Condition, such as ''status = 486 and duration < 5'' (see below).'
                    '--with-trials|flag|Include test events of `events trigger` and `certify`.'
                    '--store|text|Event store (default: the profile''s).'
                    '--no-headers|flag|Leave out the line of headings.'
                )
            }
            'alovoice events stats' = @{
                o = @(
                    '--by|choice:hour day weekday line peer number status rule|Group calls by this (default: day); rule: route questions.'
                    '--kpi|flag|Show key figures: service level, waits, lines, callbacks.'
                    '--target|text|Target time of the service level (default: profile, or 20s).'
                    '--short|text|Ignore calls abandoned earlier (default: profile, or 5s).'
                    '--since|text|From this time on: 2h, 7d, today, yesterday, 14:30, ''2025-04-25 14:30'', with a time zone; or all.'
                    '--until|text|Up to this time; a day is included whole.'
                    '--number|text|Number of the other party; several: a,b.'
                    '--line|text|Line of the PBX.'
                    '--peer|text|Extension.'
                    '--status|text|Status code, such as 200, 304, 486, 603-S.'
                    '--where|text|Condition, such as ''status = 486 and duration < 5'' (see below).'
                    '--with-trials|flag|Include test events of `events trigger` and `certify`.'
                    '--store|text|Event store (default: the profile''s).'
                    '--csv|flag|Print lists as CSV.'
                    '--columns|text|Show only these columns of a list.'
                    '--no-headers|flag|Leave out the line of headings.'
                    '--excel|flag|Write CSV for Excel: semicolons, local times.'
                )
            }
            'alovoice events missed' = @{
                o = @(
                    '--not-returned|flag|Only callers still to be called back, each once.'
                    '--older-than|text|Only callers who have waited longer: 30m, 2h, 1d.'
                    '--since|text|From this time on: 2h, 7d, today, yesterday, 14:30, ''2025-04-25 14:30'', with a time zone; or all.'
                    '--until|text|Up to this time; a day is included whole.'
                    '--number|text|Number of the other party; several: a,b.'
                    '--line|text|Line of the PBX.'
                    '--peer|text|Extension.'
                    '--where|text|Condition, such as ''status = 486 and duration < 5'' (see below).'
                    '--with-trials|flag|Include test events of `events trigger` and `certify`.'
                    '--exclude|file|Do-not-call file: CSV or workbook; repeatable.'
                    '--exclude-unread-ok|flag|Ignore unreadable entries of do-not-call files.'
                    '--limit|text|Maximum number of rows, newest first; 0: all.'
                    '--store|text|Event store (default: the profile''s).'
                    '--csv|flag|Print lists as CSV.'
                    '--columns|text|Show only these columns of a list.'
                    '--no-headers|flag|Leave out the line of headings.'
                    '--excel|flag|Write CSV for Excel: semicolons, local times.'
                )
            }
            'alovoice events gaps' = @{
                o = @(
                    '--since|text|From this time on: 2h, 7d, today, yesterday, 14:30, ''2025-04-25 14:30'', with a time zone; or all.'
                    '--until|text|Up to this time; a day is included whole.'
                    '--with-trials|flag|Include test events of `events trigger` and `certify`.'
                    '--limit|text|Maximum number of rows, newest first; 0: all.'
                    '--store|text|Event store (default: the profile''s).'
                    '--csv|flag|Print lists as CSV.'
                    '--columns|text|Show only these columns of a list.'
                    '--no-headers|flag|Leave out the line of headings.'
                    '--excel|flag|Write CSV for Excel: semicolons, local times.'
                )
            }
            'alovoice events export' = @{
                o = @(
                    '--mask-numbers|flag|Mask phone numbers: 9989067~3fa9c1; equal numbers look equal in one export.'
                    '--with-uptime|flag|Add the times when listeners ran, for `events import`.'
                    '--limit|text|Maximum number of rows, newest first; 0: all.'
                    '--store|text|Event store (default: the profile''s).'
                    '--since|text|From this time on: 2h, 7d, today, yesterday, 14:30, ''2025-04-25 14:30'', with a time zone; or all.'
                    '--until|text|Up to this time; a day is included whole.'
                    '--type|text|callstart, callend, result, route, probe; several: a,b.'
                    '--number|text|Number of the other party; several: a,b.'
                    '--line|text|Line of the PBX.'
                    '--peer|text|Extension.'
                    '--status|text|Status code, such as 200, 304, 486, 603-S.'
                    '--where|text|Condition, such as ''status = 486 and duration < 5'' (see below).'
                    '--with-trials|flag|Include test events of `events trigger` and `certify`.'
                    '--csv|flag|Print lists as CSV.'
                    '--columns|text|Show only these columns of a list.'
                    '--no-headers|flag|Leave out the line of headings.'
                    '--excel|flag|Write CSV for Excel: semicolons, local times.'
                )
            }
            'alovoice events import' = @{
                o = @(
                    '--complete|flag|Declare that each file has all events of its period.'
                    '--since|text|Start of the period that is complete, with --complete.'
                    '--until|text|End of the period that is complete, with --complete.'
                    '--store|text|Event store (default: the profile''s).'
                    '--dry-run|flag|Print what would be sent or changed; do nothing.'
                )
                a = @(
                    '*file'
                )
            }
            'alovoice events prune' = @{
                o = @(
                    '--older-than|text|Delete what is older than this: 90d, 12w, 36h.'
                    '--store|text|Event store (default: the profile''s).'
                    '-y --yes|flag|Do not ask for confirmation.'
                    '--dry-run|flag|Print what would be sent or changed; do nothing.'
                )
            }
            'alovoice events outbox' = @{
                c = @(
                    'list|List waiting events and dead letters, oldest first'
                    'retry|Send events again now, dead letters too'
                    'drop|Remove events from the outbox, so that they are not sent'
                )
                o = @(
                    '--csv|flag|Print lists as CSV.'
                    '--columns|text|Show only these columns of a list.'
                    '--no-headers|flag|Leave out the line of headings.'
                    '--excel|flag|Write CSV for Excel: semicolons, local times.'
                    '--timeout|text|Time limit for the whole command (default: 30).'
                    '--base-url|text|URL of the PBX (default: the profile''s).'
                    '-y --yes|flag|Do not ask for confirmation.'
                    '--dry-run|flag|Print what would be sent or changed; do nothing.'
                )
            }
            'alovoice events outbox list' = @{
                o = @(
                    '--target|text|Only this target: its id, URL or program.'
                    '--state|text|Only waiting events (due), or dead letters (dead).'
                    '--store|text|Event store (default: the profile''s).'
                    '--csv|flag|Print lists as CSV.'
                    '--columns|text|Show only these columns of a list.'
                    '--no-headers|flag|Leave out the line of headings.'
                    '--excel|flag|Write CSV for Excel: semicolons, local times.'
                )
            }
            'alovoice events outbox retry' = @{
                o = @(
                    '--all|flag|All waiting events and dead letters.'
                    '--to|text|Send to this target, named as in --forward, or by its id.'
                    '--target|text|Only this target: its id, URL or program.'
                    '--state|text|Only waiting events (due), or dead letters (dead).'
                    '--store|text|Event store (default: the profile''s).'
                    '--dry-run|flag|Print what would be sent or changed; do nothing.'
                )
                a = @(
                    '*text'
                )
            }
            'alovoice events outbox drop' = @{
                o = @(
                    '--all|flag|All waiting events and dead letters.'
                    '--target|text|Only this target: its id, URL or program.'
                    '--state|text|Only waiting events (due), or dead letters (dead).'
                    '--store|text|Event store (default: the profile''s).'
                    '-y --yes|flag|Do not ask for confirmation.'
                    '--dry-run|flag|Print what would be sent or changed; do nothing.'
                )
                a = @(
                    '*text'
                )
            }
            'alovoice events trigger' = @{
                o = @(
                    '--to|text|Base URL of the handlers; TYPE=URL is used unchanged.'
                    '--set|text|Value of a field, as JSON or text; repeatable.'
                    '--unset|text|Leave out a field; repeatable.'
                    '--from-event|text|Start from a stored event.'
                    '--scenario|text|Several events: answered, busy-twice, conference, missed-then-callback, routed, transfer.'
                    '--count|text|Number of events, each different.'
                    '--rate|text|Events per second, without waiting for responses.'
                    '--store|text|Event store of --from-event.'
                    '--csv|flag|Print lists as CSV.'
                    '--columns|text|Show only these columns of a list.'
                    '--no-headers|flag|Leave out the line of headings.'
                    '--excel|flag|Write CSV for Excel: semicolons, local times.'
                    '--timeout|text|Time limit for the whole command (default: 30).'
                    '--dry-run|flag|Print what would be sent or changed; do nothing.'
                )
                a = @(
                    'choice:callstart callend result route'
                )
            }
            'alovoice events replay' = @{
                o = @(
                    '--to|text|Base URL of the handlers; TYPE=URL is used unchanged.'
                    '--speed|text|1: with the original pauses; 60: a minute per second.'
                    '--store|text|Event store (default: the profile''s).'
                    '--since|text|From this time on: 2h, 7d, today, yesterday, 14:30, ''2025-04-25 14:30'', with a time zone; or all.'
                    '--until|text|Up to this time; a day is included whole.'
                    '--type|text|callstart, callend, result, route, probe; several: a,b.'
                    '--number|text|Number of the other party; several: a,b.'
                    '--line|text|Line of the PBX.'
                    '--peer|text|Extension.'
                    '--status|text|Status code, such as 200, 304, 486, 603-S.'
                    '--where|text|Condition, such as ''status = 486 and duration < 5'' (see below).'
                    '--with-trials|flag|Include test events of `events trigger` and `certify`.'
                    '--csv|flag|Print lists as CSV.'
                    '--columns|text|Show only these columns of a list.'
                    '--no-headers|flag|Leave out the line of headings.'
                    '--excel|flag|Write CSV for Excel: semicolons, local times.'
                    '--timeout|text|Time limit for the whole command (default: 30).'
                    '--dry-run|flag|Print what would be sent or changed; do nothing.'
                )
                a = @(
                    '*text'
                )
            }
            'alovoice events certify' = @{
                o = @(
                    '--callstart|text|URL of this handler, used unchanged.'
                    '--callend|text|URL of this handler, used unchanged.'
                    '--result|text|URL of this handler, used unchanged.'
                    '--route|text|URL of this handler, used unchanged.'
                    '--only|text|Only this case, or all of a type (start, end); repeatable.'
                    '--slow|flag|Wait the full time for late messages (30 s).'
                    '--junit|file|Write a JUnit XML file too.'
                    '--csv|flag|Print lists as CSV.'
                    '--columns|text|Show only these columns of a list.'
                    '--no-headers|flag|Leave out the line of headings.'
                    '--excel|flag|Write CSV for Excel: semicolons, local times.'
                    '--timeout|text|Time limit for the whole command (default: 30).'
                    '--dry-run|flag|Print what would be sent or changed; do nothing.'
                )
                a = @(
                    'text'
                )
            }
            'alovoice store' = @{
                c = @(
                    'check|Check an event store: version, size, age, integrity, what waits'
                    'copy|Copy an event store to a PostgreSQL server'
                )
                o = @(
                    '--csv|flag|Print lists as CSV.'
                    '--columns|text|Show only these columns of a list.'
                    '--no-headers|flag|Leave out the line of headings.'
                    '--excel|flag|Write CSV for Excel: semicolons, local times.'
                    '--timeout|text|Time limit for the whole command (default: 30).'
                    '--base-url|text|URL of the PBX (default: the profile''s).'
                    '-y --yes|flag|Do not ask for confirmation.'
                    '--dry-run|flag|Print what would be sent or changed; do nothing.'
                )
            }
            'alovoice store check' = @{
                o = @(
                    '--store|text|Event store (default: the profile''s).'
                    '--csv|flag|Print lists as CSV.'
                    '--columns|text|Show only these columns of a list.'
                    '--no-headers|flag|Leave out the line of headings.'
                    '--excel|flag|Write CSV for Excel: semicolons, local times.'
                )
            }
            'alovoice store copy' = @{
                o = @(
                    '--csv|flag|Print lists as CSV.'
                    '--columns|text|Show only these columns of a list.'
                    '--no-headers|flag|Leave out the line of headings.'
                    '--excel|flag|Write CSV for Excel: semicolons, local times.'
                    '--dry-run|flag|Print what would be sent or changed; do nothing.'
                )
                a = @(
                    'text'
                    'text'
                )
            }
            'alovoice day' = @{
                o = @(
                    '--week|flag|Show the seven days up to this day, with speech scores.'
                    '--text|flag|Print short lines for a mail or a messenger.'
                    '--html|file|Write one page for browser and A4; - for stdout.'
                    '--force|flag|Replace an existing page.'
                    '--rules|file|Rules for speech scores; with --week.'
                    '--store|text|Event store (default: the profile''s).'
                    '--no-headers|flag|Leave out the line of headings.'
                )
                a = @(
                    'text'
                )
            }
            'alovoice top' = @{
                o = @(
                    '--once|flag|Show the day once and exit.'
                    '--store|text|Event store (default: the profile''s).'
                    '--no-headers|flag|Leave out the line of headings.'
                )
            }
            'alovoice ai' = @{
                c = @(
                    'send|Start the speech analysis of recorded calls'
                    'result|Show the analysis of a call: who said what, and tags'
                    'show|Show analyses that are stored on this computer'
                    'list|List the stored analyses, newest call first'
                    'grep|Search the stored analyses for words'
                    'score|Score the stored calls from 0 to 100'
                    'report|Summarize the stored calls by day, week, operator or tag'
                    'audio|Save the stereo recordings of analysed calls'
                    'prune|Delete the analyses of old calls'
                )
                o = @(
                    '--csv|flag|Print lists as CSV.'
                    '--columns|text|Show only these columns of a list.'
                    '--no-headers|flag|Leave out the line of headings.'
                    '--excel|flag|Write CSV for Excel: semicolons, local times.'
                    '--timeout|text|Time limit for the whole command (default: 30).'
                    '--base-url|text|URL of the PBX (default: the profile''s).'
                    '-y --yes|flag|Do not ask for confirmation.'
                    '--dry-run|flag|Print what would be sent or changed; do nothing.'
                )
            }
            'alovoice ai send' = @{
                o = @(
                    '--again|flag|Send calls again that were sent before.'
                    '--budget|text|Maximum analyses in 24 hours.'
                    '--since|text|Recorded calls from this time on: 2h, yesterday, 2025-04-25.'
                    '--until|text|Calls up to this time; a day is included whole.'
                    '--peer|text|Calls of this extension; several: a,b.'
                    '--line|text|Calls on this line; several: a,b.'
                    '--min-duration|text|Minimum duration of a call: 20s, 2m.'
                    '--limit|text|Maximum number of calls, newest first; 0: all.'
                    '--with-imported|flag|Include calls that `events import` added.'
                    '--store|text|Event store (default: the profile''s).'
                    '--batch|file|CSV, workbook or JSON Lines; columns are options.'
                    '--map|text|Column that holds an option''s value; repeatable.'
                    '--confirm|text|Agree to exactly N recipients.'
                    '--list-encoding|text|Encoding of the list (default: detected).'
                    '--sheet|text|Sheet of the workbook (default: the first).'
                    '--header-line|text|Line of the headings; lines above it are skipped.'
                    '--jobs|text|Requests at once (default: 1).'
                    '--rate|text|Maximum requests per second, minute or hour.'
                    '--window|text|Send only in these hours (time zone: profile''s).'
                    '--stop-after-failures|text|Stop after this many failed rows.'
                    '--report|file|Write the rows with their outcomes.'
                    '--journal|text|Journal of what was sent (default: by the list).'
                    '--restart|flag|Send all rows again; asks first.'
                    '--changed-ok|flag|Accept a changed list: its new rows are sent.'
                    '--retry-refused|flag|Send refused rows again.'
                    '--resend-unknown|flag|Ask for each unknown row whether to send it again.'
                    '--accept-risk|flag|Accept that unknown or sent rows may ring twice.'
                    '--override-limit|text|Ignore this limit of the profile; repeatable.'
                    '--csv|flag|Print lists as CSV.'
                    '--columns|text|Show only these columns of a list.'
                    '--no-headers|flag|Leave out the line of headings.'
                    '--excel|flag|Write CSV for Excel: semicolons, local times.'
                    '--timeout|text|Time limit for the whole command (default: 30).'
                    '--base-url|text|URL of the PBX (default: the profile''s).'
                    '-y --yes|flag|Do not ask for confirmation.'
                    '--dry-run|flag|Print what would be sent or changed; do nothing.'
                )
                a = @(
                    '*text'
                )
            }
            'alovoice ai result' = @{
                o = @(
                    '--wait|text|Wait until it is ready: --wait=90s, --wait=1h; alone: 10m.'
                    '--interval|text|First pause between requests; later pauses are longer.'
                    '--format|choice:text json md srt vtt csv html|Output format (default: by terminal or pipe).'
                    '-o --output|file|Write to a file; several calls: to a directory.'
                    '--force|flag|Replace existing files.'
                    '--mask-numbers|flag|Mask phone, card and other long numbers, also spoken ones.'
                    '--peer|text|Extension of the operator, if the events do not show it.'
                    '--store --no-store|flag|Store the analysis for ai show, list, grep, score, report.'
                    '--batch|file|CSV, workbook or JSON Lines; columns are options.'
                    '--map|text|Column that holds an option''s value; repeatable.'
                    '--list-encoding|text|Encoding of the list (default: detected).'
                    '--sheet|text|Sheet of the workbook (default: the first).'
                    '--header-line|text|Line of the headings; lines above it are skipped.'
                    '--jobs|text|Requests at once (default: 1).'
                    '--rate|text|Maximum requests per second, minute or hour.'
                    '--stop-after-failures|text|Stop after this many failed rows.'
                    '--report|file|Write the rows with their outcomes.'
                    '--csv|flag|Print lists as CSV.'
                    '--columns|text|Show only these columns of a list.'
                    '--no-headers|flag|Leave out the line of headings.'
                    '--excel|flag|Write CSV for Excel: semicolons, local times.'
                    '--timeout|text|Time limit for the whole command (default: 30).'
                    '--base-url|text|URL of the PBX (default: the profile''s).'
                )
                a = @(
                    '*text'
                )
            }
            'alovoice ai show' = @{
                o = @(
                    '--format|choice:text json md srt vtt csv html|Output format (default: by terminal or pipe).'
                    '-o --output|file|Write to a file; several calls: to a directory.'
                    '--force|flag|Replace existing files.'
                    '--mask-numbers|flag|Mask phone, card and other long numbers, also spoken ones.'
                    '--csv|flag|Print lists as CSV.'
                    '--columns|text|Show only these columns of a list.'
                    '--no-headers|flag|Leave out the line of headings.'
                    '--excel|flag|Write CSV for Excel: semicolons, local times.'
                )
                a = @(
                    '*text'
                )
            }
            'alovoice ai list' = @{
                o = @(
                    '--since|text|Calls from this time on: 2h, 7d, today, yesterday, 14:30, 2025-04-25.'
                    '--until|text|Calls up to this time; a day is included whole.'
                    '--tag|text|Calls with this tag; repeatable: with all of them.'
                    '--without-tag|text|Calls without this tag.'
                    '--peer|text|Calls of this extension, where it is known.'
                    '--limit|text|Maximum number of rows; 0: all.'
                    '--csv|flag|Print lists as CSV.'
                    '--columns|text|Show only these columns of a list.'
                    '--no-headers|flag|Leave out the line of headings.'
                    '--excel|flag|Write CSV for Excel: semicolons, local times.'
                )
            }
            'alovoice ai grep' = @{
                o = @(
                    '--speaker|choice:operator client|Search only what this side said.'
                    '-C --context|text|Show N phrases before and after each match.'
                    '-w --word|flag|Match whole words only.'
                    '--since|text|Calls from this time on: 2h, 7d, today, yesterday, 14:30, 2025-04-25.'
                    '--until|text|Calls up to this time; a day is included whole.'
                    '--tag|text|Calls with this tag; repeatable: with all of them.'
                    '--without-tag|text|Calls without this tag.'
                    '--peer|text|Calls of this extension, where it is known.'
                    '--limit|text|Maximum number of calls; 0: all.'
                    '--mask-numbers|flag|Mask long numbers, also spoken ones.'
                    '--csv|flag|Print lists as CSV.'
                    '--columns|text|Show only these columns of a list.'
                    '--no-headers|flag|Leave out the line of headings.'
                    '--excel|flag|Write CSV for Excel: semicolons, local times.'
                )
                a = @(
                    'text'
                )
            }
            'alovoice ai score' = @{
                o = @(
                    '--rules|file|Rules file, such as qa.toml.'
                    '--check|flag|Check the rules file only.'
                    '--by|choice:call operator week|Show a row per call, operator or week.'
                    '--fail-under|text|Exit code 8 below this average (default: from the file).'
                    '--init|flag|Write a rules file to start from (scores.toml).'
                    '--set|text|Set the score of CALL_ID by hand, 0 to 100.'
                    '--note|text|Reason for --set; required with it.'
                    '--unset|flag|Remove the score of CALL_ID that was set by hand.'
                    '--since|text|Calls from this time on: 2h, 7d, today, yesterday, 14:30, 2025-04-25.'
                    '--until|text|Calls up to this time; a day is included whole.'
                    '--tag|text|Calls with this tag; repeatable: with all of them.'
                    '--without-tag|text|Calls without this tag.'
                    '--peer|text|Calls of this extension, where it is known.'
                    '--csv|flag|Print lists as CSV.'
                    '--columns|text|Show only these columns of a list.'
                    '--no-headers|flag|Leave out the line of headings.'
                    '--excel|flag|Write CSV for Excel: semicolons, local times.'
                    '--dry-run|flag|Print what would be sent or changed; do nothing.'
                )
                a = @(
                    'text'
                )
            }
            'alovoice ai report' = @{
                o = @(
                    '--by|choice:day week operator tag|Group calls by this.'
                    '--html|file|Write a self-contained HTML page.'
                    '--rules|file|Rules for scores, as in `ai score` (default: no scores).'
                    '--worst|text|Number of worst calls on the page.'
                    '--force|flag|Replace an existing page.'
                    '--mask-numbers|flag|Mask long numbers in what was said.'
                    '--since|text|Calls from this time on: 2h, 7d, today, yesterday, 14:30, 2025-04-25.'
                    '--until|text|Calls up to this time; a day is included whole.'
                    '--tag|text|Calls with this tag; repeatable: with all of them.'
                    '--without-tag|text|Calls without this tag.'
                    '--peer|text|Calls of this extension, where it is known.'
                    '--csv|flag|Print lists as CSV.'
                    '--columns|text|Show only these columns of a list.'
                    '--no-headers|flag|Leave out the line of headings.'
                    '--excel|flag|Write CSV for Excel: semicolons, local times.'
                )
            }
            'alovoice ai audio' = @{
                o = @(
                    '-o --output|file|File, or directory (default: CALL_ID.wav or .mp3).'
                    '--force|flag|Replace existing files.'
                    '--resume|flag|Continue after an interruption; keep finished files.'
                    '--csv|flag|Print lists as CSV.'
                    '--columns|text|Show only these columns of a list.'
                    '--no-headers|flag|Leave out the line of headings.'
                    '--excel|flag|Write CSV for Excel: semicolons, local times.'
                    '--timeout|text|Time limit for the whole command (default: 30).'
                    '--base-url|text|URL of the PBX (default: the profile''s).'
                )
                a = @(
                    '*text'
                )
            }
            'alovoice ai prune' = @{
                o = @(
                    '--older-than|text|Delete analyses of calls older than this: 90d, 26w.'
                    '-y --yes|flag|Do not ask for confirmation.'
                    '--dry-run|flag|Print what would be sent or changed; do nothing.'
                )
            }
            'alovoice listen' = @{
                c = @(
                    'check|Send a proof to the public URL, and look for it in the store'
                )
                o = @(
                    '--host|text|Address to listen on (default: 127.0.0.1).'
                    '--port|text|Port; 0: any free port (default: 8787).'
                    '--store|text|Event store (default: the profile''s).'
                    '--secret|text|Secret in the URLs: auto, none, text or @FILE.'
                    '--forward|text|Forward events; also callstart=, call=, missed=URL.'
                    '--forward-timeout|text|CRM''s time for a callstart (default: 2).'
                    '--forward-header|text|''NAME: VALUE'' or @FILE for forwards; repeatable.'
                    '--forward-json --forward-raw|flag|Forward as JSON, or unchanged (default).'
                    '--sign-secret|text|Sign what is forwarded: whsec_..., or @FILE.'
                    '--exec|text|Start a program for each event or call.'
                    '--notify|text|Report missed calls: telegram:CHAT, exec:CMD, URL.'
                    '--notify-on|choice:missed|Events to report (default: missed).'
                    '--grace|text|Time to call back before a report (default: 90s).'
                    '--rules|file|Rules that answer route questions.'
                    '--fallback|text|Step when no rule matches, such as queue:6000.'
                    '--deadline|text|Time limit for the rules, then fallback (700ms).'
                    '--shadow|file|Record what these rules would answer.'
                    '--allow-from|text|Accept events only from these addresses.'
                    '--trusted-proxy|text|Proxies whose X-Forwarded-For is trusted.'
                    '--tls-cert|file|Serve HTTPS with this certificate and key.'
                    '--tls-key|file|Serve HTTPS with this certificate and key.'
                    '--no-dedupe --dedupe|flag|Forward repeated deliveries too, or not (default).'
                    '--ready-file|file|File with the URLs as JSON while all works.'
                    '--admin|text|Serve /live, /ready and /metrics on this port.'
                    '--log-format|choice:text json|Date the messages, as text or JSON lines.'
                    '--print-systemd|flag|Print a systemd unit, or an nginx location.'
                    '--print-nginx|flag|Print a systemd unit, or an nginx location.'
                    '--csv|flag|Print lists as CSV.'
                    '--columns|text|Show only these columns of a list.'
                    '--no-headers|flag|Leave out the line of headings.'
                    '--excel|flag|Write CSV for Excel: semicolons, local times.'
                    '--timeout|text|Time limit for the whole command (default: 30).'
                    '--base-url|text|URL of the PBX (default: the profile''s).'
                    '-y --yes|flag|Do not ask for confirmation.'
                    '--dry-run|flag|Print what would be sent or changed; do nothing.'
                )
            }
            'alovoice listen check' = @{
                o = @(
                    '--url|text|One of the four URLs that AloVoice calls, or their base.'
                    '--store|text|Event store of the listener (default: the profile''s).'
                    '--no-headers|flag|Leave out the line of headings.'
                    '--timeout|text|Time limit for the whole command (default: 30).'
                )
            }
            'alovoice route' = @{
                c = @(
                    'init|Write a commented rules file to start from'
                    'check|Check a rules file'
                    'test|Show the step that a caller would get'
                    'diff|Compare two rules files on the stored route questions'
                    'override|Send every caller to one step for a limited time'
                )
                o = @(
                    '--csv|flag|Print lists as CSV.'
                    '--columns|text|Show only these columns of a list.'
                    '--no-headers|flag|Leave out the line of headings.'
                    '--excel|flag|Write CSV for Excel: semicolons, local times.'
                    '--timeout|text|Time limit for the whole command (default: 30).'
                    '--base-url|text|URL of the PBX (default: the profile''s).'
                    '-y --yes|flag|Do not ask for confirmation.'
                    '--dry-run|flag|Print what would be sent or changed; do nothing.'
                )
            }
            'alovoice route init' = @{
                o = @(
                    '--dry-run|flag|Print what would be sent or changed; do nothing.'
                )
                a = @(
                    'file'
                )
            }
            'alovoice route check' = @{
                o = @(
                    '--online|flag|Ask the PBX whether extensions and lines exist.'
                    '--strict|flag|Treat warnings as errors.'
                    '--csv|flag|Print lists as CSV.'
                    '--columns|text|Show only these columns of a list.'
                    '--no-headers|flag|Leave out the line of headings.'
                    '--excel|flag|Write CSV for Excel: semicolons, local times.'
                    '--timeout|text|Time limit for the whole command (default: 30).'
                    '--base-url|text|URL of the PBX (default: the profile''s).'
                )
                a = @(
                    'file'
                )
            }
            'alovoice route test' = @{
                o = @(
                    '--from|text|Number of the caller (default: hidden).'
                    '--line|text|Line that is called.'
                    '--queue|text|Queue, if the call has one.'
                    '--direction|choice:inc out|Inbound or outbound.'
                    '--at|text|Time, such as ''2026-11-23 19:00'' (default: now).'
                    '--last-peer|text|Assume that the caller last spoke with this extension.'
                    '--calls|text|Assume this many earlier calls.'
                    '--missed|text|Assume this many missed calls.'
                    '--store|text|Event store (default: the profile''s).'
                    '--explain|flag|Show each rule that was tried, and why it did not match.'
                    '--no-headers|flag|Leave out the line of headings.'
                )
                a = @(
                    'file'
                )
            }
            'alovoice route diff' = @{
                o = @(
                    '--since|text|Route questions from this time on: 7d, yesterday, 2026-11-23; or all.'
                    '--until|text|Up to this time; a day is included whole.'
                    '--store|text|Event store (default: the profile''s).'
                    '--csv|flag|Print lists as CSV.'
                    '--columns|text|Show only these columns of a list.'
                    '--no-headers|flag|Leave out the line of headings.'
                    '--excel|flag|Write CSV for Excel: semicolons, local times.'
                )
                a = @(
                    'file'
                    'file'
                )
            }
            'alovoice route override' = @{
                o = @(
                    '--for|text|Duration: 30m, 2h, up to 31d.'
                    '--off|flag|End the override now.'
                    '--no-headers|flag|Leave out the line of headings.'
                    '--dry-run|flag|Print what would be sent or changed; do nothing.'
                )
                a = @(
                    'text'
                )
            }
            'alovoice notify' = @{
                c = @(
                    'test|Send a test message to each messenger'
                    'login|Store the token of the profile''s Telegram bot'
                    'logout|Delete the stored token of the profile''s Telegram bot'
                )
                o = @(
                    '--csv|flag|Print lists as CSV.'
                    '--columns|text|Show only these columns of a list.'
                    '--no-headers|flag|Leave out the line of headings.'
                    '--excel|flag|Write CSV for Excel: semicolons, local times.'
                    '--timeout|text|Time limit for the whole command (default: 30).'
                    '--base-url|text|URL of the PBX (default: the profile''s).'
                    '-y --yes|flag|Do not ask for confirmation.'
                    '--dry-run|flag|Print what would be sent or changed; do nothing.'
                )
            }
            'alovoice notify test' = @{
                o = @(
                    '--to|text|Messenger to test (default: all of listen.notify).'
                    '--csv|flag|Print lists as CSV.'
                    '--columns|text|Show only these columns of a list.'
                    '--no-headers|flag|Leave out the line of headings.'
                    '--excel|flag|Write CSV for Excel: semicolons, local times.'
                    '--timeout|text|Time limit for the whole command (default: 30).'
                    '--dry-run|flag|Print what would be sent or changed; do nothing.'
                )
            }
            'alovoice notify login' = @{
                o = @(
                    '--with-token|flag|Read the token from stdin.'
                    '--no-check|flag|Do not check the token with Telegram.'
                    '--timeout|text|Time limit for the whole command (default: 30).'
                    '--dry-run|flag|Print what would be sent or changed; do nothing.'
                )
            }
            'alovoice notify logout' = @{
                o = @(
                    '--dry-run|flag|Print what would be sent or changed; do nothing.'
                )
            }
            'alovoice trunks' = @{
                o = @(
                    '--csv|flag|Print lists as CSV.'
                    '--columns|text|Show only these columns of a list.'
                    '--no-headers|flag|Leave out the line of headings.'
                    '--excel|flag|Write CSV for Excel: semicolons, local times.'
                    '--timeout|text|Time limit for the whole command (default: 30).'
                    '--base-url|text|URL of the PBX (default: the profile''s).'
                )
            }
            'alovoice peers' = @{
                o = @(
                    '--status|choice:on off|Only extensions that are on, or off.'
                    '--number|text|Only the extension with this number.'
                    '--show-secrets|flag|Show passwords and tokens unmasked.'
                    '--csv|flag|Print lists as CSV.'
                    '--columns|text|Show only these columns of a list.'
                    '--no-headers|flag|Leave out the line of headings.'
                    '--excel|flag|Write CSV for Excel: semicolons, local times.'
                    '--timeout|text|Time limit for the whole command (default: 30).'
                    '--base-url|text|URL of the PBX (default: the profile''s).'
                )
            }
            'alovoice api' = @{
                o = @(
                    '-f --raw-field|text|Text field; repeatable.'
                    '-F --field|text|Field with a number, true, false, null or @file; repeatable.'
                    '--input|file|File with the request body; - for stdin.'
                    '-H --header|text|Request header; repeatable.'
                    '-i --include|flag|Print the status and the headers too.'
                    '--show-secrets|flag|Show passwords and tokens unmasked.'
                    '--timeout|text|Time limit for the whole command (default: 30).'
                    '--base-url|text|URL of the PBX (default: the profile''s).'
                    '--dry-run|flag|Print what would be sent or changed; do nothing.'
                )
                a = @(
                    'text'
                    'text'
                )
            }
            'alovoice login' = @{
                o = @(
                    '--with-token|flag|Read the token from stdin.'
                    '--token-command|text|Store a command instead that prints the token.'
                    '--no-check|flag|Do not check the token with the PBX.'
                    '--timeout|text|Time limit for the whole command (default: 30).'
                    '--base-url|text|URL of the PBX (default: the profile''s).'
                    '--dry-run|flag|Print what would be sent or changed; do nothing.'
                )
            }
            'alovoice logout' = @{
                o = @(
                    '--dry-run|flag|Print what would be sent or changed; do nothing.'
                )
                a = @(
                    'profile'
                )
            }
            'alovoice status' = @{
                o = @(
                    '--offline|flag|Do not contact the PBX.'
                    '--no-headers|flag|Leave out the line of headings.'
                    '--timeout|text|Time limit for the whole command (default: 30).'
                    '--base-url|text|URL of the PBX (default: the profile''s).'
                )
            }
            'alovoice config' = @{
                c = @(
                    'list|List the profiles and where their tokens are'
                    'get|Print the current value of a setting'
                    'set|Change a setting of a profile'
                    'unset|Reset a setting of a profile to its default'
                    'use|Choose the default profile'
                    'path|Print the path of the configuration file'
                )
                o = @(
                    '--csv|flag|Print lists as CSV.'
                    '--columns|text|Show only these columns of a list.'
                    '--no-headers|flag|Leave out the line of headings.'
                    '--excel|flag|Write CSV for Excel: semicolons, local times.'
                    '--timeout|text|Time limit for the whole command (default: 30).'
                    '--base-url|text|URL of the PBX (default: the profile''s).'
                    '-y --yes|flag|Do not ask for confirmation.'
                    '--dry-run|flag|Print what would be sent or changed; do nothing.'
                )
            }
            'alovoice config list' = @{
                o = @(
                    '--csv|flag|Print lists as CSV.'
                    '--columns|text|Show only these columns of a list.'
                    '--no-headers|flag|Leave out the line of headings.'
                    '--excel|flag|Write CSV for Excel: semicolons, local times.'
                )
            }
            'alovoice config get' = @{
                a = @(
                    'choice:profile require_profile base_url encoding timezone lang timeout token_command trunks store peer_names quiet_hours max_recipients allowed_prefixes confirm_above max_calls_per_run max_calls_per_day ai_budget_per_day trunk_lines reserve_lines max_campaigns_per_day service_seconds short_abandon_seconds duration_counts target_service_level target_answer_rate target_abandon_rate target_wait target_owed target_callback insecure listen.host listen.port listen.store listen.secret listen.forward listen.forward-timeout listen.forward-header listen.forward-json listen.sign-secret listen.exec listen.notify listen.notify-on listen.grace listen.rules listen.fallback listen.deadline listen.shadow listen.allow-from listen.trusted-proxy listen.tls-cert listen.tls-key listen.no-dedupe listen.ready-file listen.admin listen.log-format notify.telegram.token_command notify.telegram.api_url'
                )
            }
            'alovoice config set' = @{
                o = @(
                    '--dry-run|flag|Print what would be sent or changed; do nothing.'
                )
                a = @(
                    'choice:profile require_profile base_url encoding timezone lang timeout token_command trunks store peer_names quiet_hours max_recipients allowed_prefixes confirm_above max_calls_per_run max_calls_per_day ai_budget_per_day trunk_lines reserve_lines max_campaigns_per_day service_seconds short_abandon_seconds duration_counts target_service_level target_answer_rate target_abandon_rate target_wait target_owed target_callback insecure listen.host listen.port listen.store listen.secret listen.forward listen.forward-timeout listen.forward-header listen.forward-json listen.sign-secret listen.exec listen.notify listen.notify-on listen.grace listen.rules listen.fallback listen.deadline listen.shadow listen.allow-from listen.trusted-proxy listen.tls-cert listen.tls-key listen.no-dedupe listen.ready-file listen.admin listen.log-format notify.telegram.token_command notify.telegram.api_url'
                    'text'
                )
            }
            'alovoice config unset' = @{
                o = @(
                    '--dry-run|flag|Print what would be sent or changed; do nothing.'
                )
                a = @(
                    'choice:profile require_profile base_url encoding timezone lang timeout token_command trunks store peer_names quiet_hours max_recipients allowed_prefixes confirm_above max_calls_per_run max_calls_per_day ai_budget_per_day trunk_lines reserve_lines max_campaigns_per_day service_seconds short_abandon_seconds duration_counts target_service_level target_answer_rate target_abandon_rate target_wait target_owed target_callback insecure listen.host listen.port listen.store listen.secret listen.forward listen.forward-timeout listen.forward-header listen.forward-json listen.sign-secret listen.exec listen.notify listen.notify-on listen.grace listen.rules listen.fallback listen.deadline listen.shadow listen.allow-from listen.trusted-proxy listen.tls-cert listen.tls-key listen.no-dedupe listen.ready-file listen.admin listen.log-format notify.telegram.token_command notify.telegram.api_url'
                )
            }
            'alovoice config use' = @{
                o = @(
                    '--dry-run|flag|Print what would be sent or changed; do nothing.'
                )
                a = @(
                    'profile'
                )
            }
            'alovoice config path' = @{
            }
            'alovoice demo' = @{
            }
            'alovoice sandbox' = @{
                c = @(
                    'serve|Serve the simulated PBX over HTTP until Ctrl-C'
                    'reset|Reset the built-in simulated PBX'
                    'path|Print where the built-in simulated PBX keeps its state'
                    'sample|Write sample files, and print commands that use them'
                )
                o = @(
                    '--csv|flag|Print lists as CSV.'
                    '--columns|text|Show only these columns of a list.'
                    '--no-headers|flag|Leave out the line of headings.'
                    '--excel|flag|Write CSV for Excel: semicolons, local times.'
                    '--timeout|text|Time limit for the whole command (default: 30).'
                    '--base-url|text|URL of the PBX (default: the profile''s).'
                    '-y --yes|flag|Do not ask for confirmation.'
                    '--dry-run|flag|Print what would be sent or changed; do nothing.'
                )
            }
            'alovoice sandbox serve' = @{
                o = @(
                    '--host|text|Loopback address to listen on.'
                    '--port|text|Port; 0: any free port.'
                    '--token|text|Token to accept; not secret (default: a new one).'
                    '--speed|text|Simulated seconds per second.'
                    '--seed|text|Seed of the random numbers.'
                    '--fault|text|Faults and their rates, such as ''outcall:503@10%''.'
                    '--state|file|State file (default: the built-in PBX''s).'
                    '--events-to|text|Send events to this base URL, or a type to its URL; repeatable.'
                    '--inbound|text|Simulate N inbound calls per hour.'
                    '--day|text|Play the calls of a day, from midnight on, or today.'
                    '--chaos|text|Repeat, delay or reorder events: dup=3%,late=5%,reorder=1%.'
                )
            }
            'alovoice sandbox reset' = @{
                o = @(
                    '-y --yes|flag|Do not ask for confirmation.'
                    '--dry-run|flag|Print what would be sent or changed; do nothing.'
                )
            }
            'alovoice sandbox path' = @{
            }
            'alovoice sandbox sample' = @{
                o = @(
                    '--dry-run|flag|Print what would be sent or changed; do nothing.'
                )
                a = @(
                    'directory'
                )
            }
            'alovoice help' = @{
                a = @(
                    '*text'
                )
            }
            'alovoice skill' = @{
                o = @(
                    '--install|directory|Write the page to DIR/alovoice/SKILL.md instead.'
                    '--dry-run|flag|Print what would be sent or changed; do nothing.'
                )
            }
            'alovoice completion' = @{
                a = @(
                    'choice:bash zsh fish powershell'
                )
            }
            'alovoice version' = @{
            }
        }
    }
    $script:__alovoice_tree[$path]
}

# The kind of word that follows this option of the command of this path: nothing for a flag.
function __alovoice_option([string] $path, [string] $flag) {
    foreach ($line in @((__alovoice_command $path).o) + @(__alovoice_common)) {
        $flags, $kind, $help = $line -split '\|', 3
        if (($flags -split ' ') -ccontains $flag) { return $(if ($kind -eq 'flag') { '' } else { $kind }) }
    }
    ''
}

function __alovoice_result([string] $text, [string] $kind, [string] $help) {
    $typed = if ($text -match '\s') { "'$($text -replace "'", "''")'" } else { $text }
    [System.Management.Automation.CompletionResult]::new($typed, $text, $kind, $(if ($help) { $help } else { $text }))
}

# The words of this kind that begin as the typed word does; each is written behind what stands before it.
function __alovoice_offer([string] $kind, [string] $begin, [string] $before) {
    $words = @()
    if ($kind -eq 'profile') { $words = @(__alovoice_profiles | Select-Object -Unique) }
    if ($kind -like 'choice:*') { $words = $kind.Substring(7) -split ' ' }
    foreach ($word in $words) {
        if ($word.StartsWith($begin, [System.StringComparison]::Ordinal)) {
            __alovoice_result "$before$word" 'ParameterValue' ''
        }
    }
}

function __alovoice_options([string] $path, [string] $begin) {
    foreach ($line in @((__alovoice_command $path).o) + @(__alovoice_common)) {
        $flags, $kind, $help = $line -split '\|', 3
        foreach ($flag in $flags -split ' ') {
            if ($flag -and $flag.StartsWith($begin, [System.StringComparison]::Ordinal)) {
                __alovoice_result $flag 'ParameterName' $help
            }
        }
    }
}

Register-ArgumentCompleter -Native -CommandName 'alovoice' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    Set-StrictMode -Off
    $path, $pending, $place, $wordsOnly = 'alovoice', '', 0, $false
    foreach ($element in $commandAst.CommandElements | Select-Object -Skip 1) {
        if ($element.Extent.EndOffset -ge $cursorPosition) { break }
        $word = $element.Extent.Text.Trim("'", '"')
        if ($pending) { $pending = '' }
        elseif ($word -ceq '--' -and -not $wordsOnly) { $wordsOnly = $true }
        elseif ($word.StartsWith('-') -and -not $wordsOnly) { $pending = __alovoice_option $path $word }
        elseif (__alovoice_command "$path $word") { $path = "$path $word" }
        else { $place++ }
    }
    $begin, $before, $kind = "$wordToComplete".Trim("'", '"'), '', $pending
    if (-not $pending -and -not $wordsOnly -and $begin -match '^(--[a-z-]+)=(.*)$') {
        $before, $begin, $kind = "$($Matches[1])=", $Matches[2], (__alovoice_option $path $Matches[1])
    }
    $command = __alovoice_command $path
    $offers = @()
    if ($kind) { $offers = @(__alovoice_offer $kind $begin $before) }
    elseif ($begin.StartsWith('-') -and -not $wordsOnly) { $offers = @(__alovoice_options $path $begin) }
    elseif ($command.c) {
        foreach ($line in $command.c) {
            $name, $help = $line -split '\|', 2
            if ($name.StartsWith($begin, [System.StringComparison]::Ordinal)) {
                $offers += __alovoice_result $name 'ParameterValue' $help
            }
        }
    }
    elseif ($command.a) {
        $kind = $command.a[[Math]::Min($place, $command.a.Count - 1)]
        if ($place -ge $command.a.Count -and -not $kind.StartsWith('*')) { $kind = '' }
        $kind = $kind.TrimStart('*')
        $offers = @(__alovoice_offer $kind $begin '')
    }
    elseif (-not $begin) { $offers = @(__alovoice_options $path '') }
    # Where nothing is offered, PowerShell offers files: wanted for a file, and else kept off by an empty word.
    if ($offers) { $offers } elseif ($kind -notin 'file', 'directory') { '' }
}
