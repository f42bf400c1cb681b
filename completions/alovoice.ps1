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
    '-p --profile|profile|The PBX to use.'
    '--json|flag|Print JSON: the server''s own fields, whole.'
    '--csv|flag|Print CSV (lists).'
    '--columns|text|Only these columns (lists).'
    '--no-headers|flag|No header line.'
    '--excel|flag|Write CSV as Excel wants it: its mark, semicolons, local times.'
    '-q --quiet|flag|No remarks and no progress.'
    '-v --verbose|flag|Each request and answer on stderr, masked.'
    '--color|choice:auto always never|auto, always or never.'
    '--timeout|text|For the whole conversation; 30 by default.'
    '--base-url|text|The server, else the profile''s.'
    '--lang|choice:en ru uz|Language of texts and help pages (default: en).'
    '-y --yes|flag|Ask no questions.'
    '--dry-run|flag|Print the request that would change something, and its curl; send nothing.'
    '--no-permission-check|flag|Trust a config.toml that others may change.'
    '-V --version|flag|Print the version.'
    '-h --help|flag|Print the help page of the command.'
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
                    'skill|Print a page for AI agents: what forbids a second run, exit codes, every command with what it does to the PBX'
                    'completion|Print the completion script of a shell'
                    'version|Print the version'
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
            }
            'alovoice autorule create' = @{
                o = @(
                    '--record|file|What is played: an MP3 file (required).'
                    '--from|text|2026.11.24, 2026-11-24, today, tomorrow or +3d (required).'
                    '--to|text|The last day, inclusive (required).'
                    '--fromtime|text|When calls begin, each day (required).'
                    '--totime|text|The last minute of calls, inclusive (required).'
                    '--recipients|file|Whom to call: a CSV or a workbook, or - for stdin.'
                    '--recipient|text|Whom to call, one by one; repeatable.'
                    '--name|text|Else the audio''s name and an id.'
                    '--trunks|text|By which lines; else the profile''s.'
                    '--maxline|text|Maximum concurrent calls (server default: 1).'
                    '--goodtime|text|Seconds that make a call successful (server default: 3).'
                    '--tryes|text|Attempts a number (server default: 2).'
                    '--paused --no-paused|flag|Do not start by itself.'
                    '--timezone|text|''utc +5'', +05:00 or Asia/Tashkent; else the profile''s.'
                    '--encoding|text|The list''s encoding, else found.'
                    '--column|text|The column of the phones, else found. Of several: the first good number of each row.'
                    '--sheet|text|The sheet of a workbook, else the first.'
                    '--header-line|text|The line of the headings; lines above are left out.'
                    '--exclude|file|Whom not to call: every number of a CSV or workbook, perhaps with a column `until`; repeatable.'
                    '--exclude-unread-ok|flag|Go on where an entry of a do-not-call file cannot be read.'
                    '--exclude-called|text|Leave out whom campaigns from here called lately.'
                    '--clean|flag|With a name, [OUT.csv]: write the cleaned list there. Without: upload it cleaned.'
                    '--rejected|file|Write the rows left out, with reasons.'
                    '--night-ok|flag|Quiet hours, Sundays and holidays are meant.'
                    '--allow-duplicate|flag|The same campaign within 24 hours is meant.'
                    '--override-limit|text|Go beyond this limit of the profile.'
                    '--no-check|flag|Skip what only warns; quiet hours hold all the same.'
                    '--from-file|file|A campaign.toml (see export): what it says, these options may say otherwise.'
                    '--like|text|As the campaign of this id or receipt, but for what is said here.'
                    '--split|text|Several campaigns, N people a day each, from the first day on.'
                    '--split-from|text|Go on with this part, after a failure.'
                    '--confirm|text|The number of people you mean; another stops it.'
                )
                a = @(
                    'file'
                )
            }
            'alovoice autorule check' = @{
                o = @(
                    '--record|file|What is played: an MP3 file (required).'
                    '--from|text|2026.11.24, 2026-11-24, today, tomorrow or +3d (required).'
                    '--to|text|The last day, inclusive (required).'
                    '--fromtime|text|When calls begin, each day (required).'
                    '--totime|text|The last minute of calls, inclusive (required).'
                    '--recipients|file|Whom to call: a CSV or a workbook, or - for stdin.'
                    '--recipient|text|Whom to call, one by one; repeatable.'
                    '--name|text|Else the audio''s name and an id.'
                    '--trunks|text|By which lines; else the profile''s.'
                    '--maxline|text|Maximum concurrent calls (server default: 1).'
                    '--goodtime|text|Seconds that make a call successful (server default: 3).'
                    '--tryes|text|Attempts a number (server default: 2).'
                    '--paused --no-paused|flag|Do not start by itself.'
                    '--timezone|text|''utc +5'', +05:00 or Asia/Tashkent; else the profile''s.'
                    '--encoding|text|The list''s encoding, else found.'
                    '--column|text|The column of the phones, else found. Of several: the first good number of each row.'
                    '--sheet|text|The sheet of a workbook, else the first.'
                    '--header-line|text|The line of the headings; lines above are left out.'
                    '--exclude|file|Whom not to call: every number of a CSV or workbook, perhaps with a column `until`; repeatable.'
                    '--exclude-unread-ok|flag|Go on where an entry of a do-not-call file cannot be read.'
                    '--exclude-called|text|Leave out whom campaigns from here called lately.'
                    '--clean|flag|With a name, [OUT.csv]: write the cleaned list there. Without: upload it cleaned.'
                    '--rejected|file|Write the rows left out, with reasons.'
                    '--night-ok|flag|Quiet hours, Sundays and holidays are meant.'
                    '--allow-duplicate|flag|The same campaign within 24 hours is meant.'
                    '--override-limit|text|Go beyond this limit of the profile.'
                    '--no-check|flag|Skip what only warns; quiet hours hold all the same.'
                    '--from-file|file|A campaign.toml (see export): what it says, these options may say otherwise.'
                    '--like|text|As the campaign of this id or receipt, but for what is said here.'
                    '--split|text|Several campaigns, N people a day each, from the first day on.'
                    '--forecast|flag|Simulate the dialling: when it ends, and what it costs.'
                    '--answer-rate|text|How many answer: 0.4 or 40%.'
                    '--seconds-per-call|text|How long they talk, in the mean.'
                    '--tariff|text|The price of a minute of talk.'
                    '--seed|text|Of the forecast''s luck.'
                )
                a = @(
                    'file'
                )
            }
            'alovoice autorule get' = @{
                a = @(
                    'text'
                )
            }
            'alovoice autorule list' = @{
                o = @(
                    '--status|text|Only campaigns with this status: new, done, unknown, refused ...'
                    '--since|text|Only those created since then.'
                    '--refresh|flag|Ask the PBX how each one stands now.'
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
                    '--until|text|Stop when all have this status (default: when all are over).'
                    '--wait|text|Stop after this time, with exit code 9.'
                )
                a = @(
                    '*text'
                )
            }
            'alovoice autorule report' = @{
                o = @(
                    '--unreached|file|Write the rows to call again, with all their columns.'
                    '--include|text|Write short, unknown or ambiguous rows to --unreached, too: they may have been reached.'
                    '--by|choice:status hour line attempt|Count the attempts by the PBX''s status, hour, line, or first and second try.'
                    '--html|file|Write one page that opens offline.'
                    '--force|flag|Replace files that exist.'
                    '--recipients|file|The list of a campaign that an older version created.'
                    '--column|text|The column of the phones, else found. Of several: the first good number of each row.'
                    '--store|text|The event store (default: the profile''s): a file, sqlite:///..., postgresql://....'
                )
                a = @(
                    'text'
                )
            }
            'alovoice numbers' = @{
                c = @(
                    'check|Check a list of phone numbers as `autorule create` does'
                )
            }
            'alovoice numbers check' = @{
                o = @(
                    '--encoding|text|The list''s encoding, else found.'
                    '--column|text|The column of the phones, else found. Of several: the first good number of each row.'
                    '--sheet|text|The sheet of a workbook, else the first.'
                    '--header-line|text|The line of the headings; lines above are left out.'
                    '--exclude|file|Whom not to call: every number of a CSV or workbook, perhaps with a column `until`; repeatable.'
                    '--exclude-unread-ok|flag|Go on where an entry of a do-not-call file cannot be read.'
                    '--exclude-called|text|Leave out whom campaigns from here called lately.'
                    '--clean|file|Write the cleaned list.'
                    '--rejected|file|Write the rows left out, with reasons.'
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
            }
            'alovoice call conference' = @{
                o = @(
                    '--callfrom --from|text|Who is rung first: the initiator.'
                    '--callto --to|text|Who is rung then, in turn; repeatable.'
                    '--queue|text|A queue instead of phones.'
                    '--extid|text|Your id of the call; made if left out. Results carry it.'
                    '--encoding|choice:json multipart form vendor-curl|json, multipart, form or vendor-curl; else the profile''s.'
                    '--wait|text|Follow the call to its end, for so long (90s, 5m; alone: 90s). Not heard of by then: exit code 6.'
                    '--no-check|flag|Call a number that no telephone plan knows.'
                    '--batch|file|A CSV, workbook or JSON Lines; its columns are the options, - is stdin.'
                    '--map|text|Which column an option stands in; repeatable.'
                    '--confirm|text|The number of people you mean; another stops it.'
                    '--list-encoding|text|The list''s encoding, else found.'
                    '--sheet|text|The sheet of a workbook, else the first.'
                    '--header-line|text|The line of the headings; lines above are left out.'
                    '--exclude|file|A do-not-call file: its people are not rung; repeatable.'
                    '--exclude-unread-ok|flag|Let entries of a do-not-call file pass that cannot be read.'
                    '--each-row|flag|Every row is meant: ring a person once for each row.'
                    '--allow-duplicate|flag|Send rows that were sent within 24 hours once more.'
                    '--jobs|text|How many at once; 1 if left out.'
                    '--rate|text|At most so many a second, minute or hour.'
                    '--window|text|Sleep outside these hours, by the profile''s zone.'
                    '--stop-after-failures|text|Begin no row after so many have failed.'
                    '--report|file|Your columns, with each row''s outcome.'
                    '--journal|text|Where it is kept what was sent; else by the list.'
                    '--shared|flag|Other machines send rows of this batch too; needs a store on a server.'
                    '--restart|flag|Send all rows anew; asks.'
                    '--changed-ok|flag|The list has changed: take its new rows.'
                    '--retry-refused|flag|Send again what the PBX refused.'
                    '--resend-unknown|flag|Ask for each unknown row whether to send it again.'
                    '--accept-risk|flag|Rows that are unknown or were sent before may ring twice.'
                    '--night-ok|flag|Call in the profile''s quiet hours too.'
                    '--override-limit|text|Let a limit of the profile pass; repeatable.'
                )
            }
            'alovoice call ivr' = @{
                o = @(
                    '--callto --to|text|Who is rung.'
                    '--ivrid --ivr|text|The menu''s id, from the web console.'
                    '--fromline --line|text|The line to call by.'
                    '--lang|text|The menu''s language: ru, uz.'
                    '--extid|text|Your id of the call; made if left out. Results carry it.'
                    '--encoding|choice:json multipart form vendor-curl|json, multipart, form or vendor-curl; else the profile''s.'
                    '--wait|text|Follow the call to its end, for so long (90s, 5m; alone: 90s). Not heard of by then: exit code 6.'
                    '--no-check|flag|Call a number that no telephone plan knows.'
                    '--batch|file|A CSV, workbook or JSON Lines; its columns are the options, - is stdin.'
                    '--map|text|Which column an option stands in; repeatable.'
                    '--confirm|text|The number of people you mean; another stops it.'
                    '--list-encoding|text|The list''s encoding, else found.'
                    '--sheet|text|The sheet of a workbook, else the first.'
                    '--header-line|text|The line of the headings; lines above are left out.'
                    '--exclude|file|A do-not-call file: its people are not rung; repeatable.'
                    '--exclude-unread-ok|flag|Let entries of a do-not-call file pass that cannot be read.'
                    '--each-row|flag|Every row is meant: ring a person once for each row.'
                    '--allow-duplicate|flag|Send rows that were sent within 24 hours once more.'
                    '--jobs|text|How many at once; 1 if left out.'
                    '--rate|text|At most so many a second, minute or hour.'
                    '--window|text|Sleep outside these hours, by the profile''s zone.'
                    '--stop-after-failures|text|Begin no row after so many have failed.'
                    '--report|file|Your columns, with each row''s outcome.'
                    '--journal|text|Where it is kept what was sent; else by the list.'
                    '--shared|flag|Other machines send rows of this batch too; needs a store on a server.'
                    '--restart|flag|Send all rows anew; asks.'
                    '--changed-ok|flag|The list has changed: take its new rows.'
                    '--retry-refused|flag|Send again what the PBX refused.'
                    '--resend-unknown|flag|Ask for each unknown row whether to send it again.'
                    '--accept-risk|flag|Rows that are unknown or were sent before may ring twice.'
                    '--night-ok|flag|Call in the profile''s quiet hours too.'
                    '--override-limit|text|Let a limit of the profile pass; repeatable.'
                )
            }
            'alovoice call out' = @{
                o = @(
                    '--inner-phone --from|text|The extension, rung first.'
                    '--number --to|text|Who is rung when it answers.'
                    '--call-id|text|Your id of the call; made if left out.'
                    '--user-id|text|Your CRM''s id of the user.'
                    '--encoding|choice:json multipart form vendor-curl|json, multipart, form or vendor-curl; else the profile''s.'
                    '--wait|text|Follow the call to its end, for so long (90s, 5m; alone: 90s). Not heard of by then: exit code 6.'
                    '--no-check|flag|Call a number that no telephone plan knows.'
                    '--batch|file|A CSV, workbook or JSON Lines; its columns are the options, - is stdin.'
                    '--map|text|Which column an option stands in; repeatable.'
                    '--confirm|text|The number of people you mean; another stops it.'
                    '--list-encoding|text|The list''s encoding, else found.'
                    '--sheet|text|The sheet of a workbook, else the first.'
                    '--header-line|text|The line of the headings; lines above are left out.'
                    '--exclude|file|A do-not-call file: its people are not rung; repeatable.'
                    '--exclude-unread-ok|flag|Let entries of a do-not-call file pass that cannot be read.'
                    '--each-row|flag|Every row is meant: ring a person once for each row.'
                    '--allow-duplicate|flag|Send rows that were sent within 24 hours once more.'
                    '--jobs|text|How many at once; 1 if left out.'
                    '--rate|text|At most so many a second, minute or hour.'
                    '--window|text|Sleep outside these hours, by the profile''s zone.'
                    '--stop-after-failures|text|Begin no row after so many have failed.'
                    '--report|file|Your columns, with each row''s outcome.'
                    '--journal|text|Where it is kept what was sent; else by the list.'
                    '--shared|flag|Other machines send rows of this batch too; needs a store on a server.'
                    '--restart|flag|Send all rows anew; asks.'
                    '--changed-ok|flag|The list has changed: take its new rows.'
                    '--retry-refused|flag|Send again what the PBX refused.'
                    '--resend-unknown|flag|Ask for each unknown row whether to send it again.'
                    '--accept-risk|flag|Rows that are unknown or were sent before may ring twice.'
                    '--night-ok|flag|Call in the profile''s quiet hours too.'
                    '--override-limit|text|Let a limit of the profile pass; repeatable.'
                )
            }
            'alovoice call resolve' = @{
                o = @(
                    '--all|flag|All calls of this PBX whose outcome is unknown.'
                    '--batch|text|The rows of this batch whose outcome is unknown.'
                    '--wait|text|Look for so long, until it is known (90s, 5m; alone: 90s).'
                    '--store|text|The event store, else the profile''s.'
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
            }
            'alovoice call batches list' = @{
            }
            'alovoice call batches show' = @{
                o = @(
                    '--state|text|Only these rows: done, refused, unsent, unknown, pending, duplicate, excluded, sent_before.'
                )
                a = @(
                    'text'
                )
            }
            'alovoice call batches resume' = @{
                o = @(
                    '--confirm|text|The number of people you mean; another stops it.'
                    '--exclude|file|A do-not-call file: its people are not rung; repeatable.'
                    '--exclude-unread-ok|flag|Let entries of a do-not-call file pass that cannot be read.'
                    '--jobs|text|How many at once; 1 if left out.'
                    '--rate|text|At most so many a second, minute or hour.'
                    '--window|text|Sleep outside these hours, by the profile''s zone.'
                    '--stop-after-failures|text|Begin no row after so many have failed.'
                    '--report|file|Your columns, with each row''s outcome.'
                    '--shared|flag|Other machines send rows of this batch too; needs a store on a server.'
                    '--retry-refused|flag|Send again what the PBX refused.'
                    '--resend-unknown|flag|Ask for each unknown row whether to send it again.'
                    '--accept-risk|flag|Rows that are unknown or were sent before may ring twice.'
                    '--night-ok|flag|Call in the profile''s quiet hours too.'
                    '--override-limit|text|Let a limit of the profile pass; repeatable.'
                )
                a = @(
                    'text'
                )
            }
            'alovoice call batches forget' = @{
                o = @(
                    '--accept-risk|flag|Rows wait or are unknown: forget them too.'
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
            }
            'alovoice call receipts list' = @{
                o = @(
                    '--limit|text|The latest N; 0 for all.'
                )
            }
            'alovoice call receipts show' = @{
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
            }
            'alovoice events list' = @{
                o = @(
                    '--limit|text|The latest N; 0 for all.'
                    '--store|text|The event store, else the profile''s: a file, sqlite:///..., postgresql://....'
                    '--since|text|From then on: 2h, 7d, today, yesterday, 14:30, 2025-04-25, ''2025-04-25 14:30'', with a zone too; or all.'
                    '--until|text|Up to then; a day alone is included, whole.'
                    '--type|text|callstart, callend, result, route or probe; a,b for more.'
                    '--number|text|The other party, in any spelling; a,b for more.'
                    '--line|text|The PBX''s line.'
                    '--peer|text|The extension.'
                    '--status|text|200, 304, 480, 486, 603, 603-S ...'
                    '--where|text|Such as ''status = 486 and duration < 5'', with = != < <= > >= ~ (contains), in (a, b), none, and, or, not, (). Fields: id, seq, type, received, sender, event_call_id, pbx_call_id, external_id, number, line, peer, direction, status, duration, started, ended, record, answered, queue, rule, duplicate_of, problem.'
                    '--with-trials|flag|With what `events trigger` and `certify` made up.'
                )
            }
            'alovoice events show' = @{
                o = @(
                    '--store|text|The event store, else the profile''s: a file, sqlite:///..., postgresql://....'
                )
                a = @(
                    'text'
                )
            }
            'alovoice events tail' = @{
                o = @(
                    '-f --follow|flag|Go on with what comes, until Ctrl-C.'
                    '-n --lines|text|Begin with the latest N.'
                    '--type|text|callstart, callend, result, route or probe; a,b for more.'
                    '--number|text|The other party, in any spelling; a,b for more.'
                    '--line|text|The PBX''s line.'
                    '--peer|text|The extension.'
                    '--status|text|200, 304, 480, 486, 603, 603-S ...'
                    '--where|text|Such as ''status = 486 and duration < 5'', with = != < <= > >= ~ (contains), in (a, b), none, and, or, not, (). Fields: id, seq, type, received, sender, event_call_id, pbx_call_id, external_id, number, line, peer, direction, status, duration, started, ended, record, answered, queue, rule, duplicate_of, problem.'
                    '--with-trials|flag|With what `events trigger` and `certify` made up.'
                    '--store|text|The event store, else the profile''s: a file, sqlite:///..., postgresql://....'
                )
            }
            'alovoice events stats' = @{
                o = @(
                    '--by|choice:hour day weekday line peer number status rule|What is counted together (default: day); `rule` counts route questions.'
                    '--kpi|flag|Show key figures: service level, waits, lines, callbacks.'
                    '--target|text|Target of the service level (the profile''s, else 20s).'
                    '--short|text|Leave out calls abandoned earlier (the profile''s, else 5s).'
                    '--since|text|From then on: 2h, 7d, today, yesterday, 14:30, 2025-04-25, ''2025-04-25 14:30'', with a zone too; or all.'
                    '--until|text|Up to then; a day alone is included, whole.'
                    '--number|text|The other party, in any spelling; a,b for more.'
                    '--line|text|The PBX''s line.'
                    '--peer|text|The extension.'
                    '--status|text|200, 304, 480, 486, 603, 603-S ...'
                    '--where|text|Such as ''status = 486 and duration < 5'', with = != < <= > >= ~ (contains), in (a, b), none, and, or, not, (). Fields: event_call_id, pbx_call_id, external_id, number, line, peer, direction, status, duration, started, ended, record, received.'
                    '--with-trials|flag|With what `events trigger` and `certify` made up.'
                    '--store|text|The event store, else the profile''s: a file, sqlite:///..., postgresql://....'
                )
            }
            'alovoice events missed' = @{
                o = @(
                    '--not-returned|flag|Show only callers still to be called back, each once.'
                    '--older-than|text|Show only callers who have waited longer: 30m, 2h, 1d.'
                    '--since|text|From then on: 2h, 7d, today, yesterday, 14:30, 2025-04-25, ''2025-04-25 14:30'', with a zone too; or all.'
                    '--until|text|Up to then; a day alone is included, whole.'
                    '--number|text|The other party, in any spelling; a,b for more.'
                    '--line|text|The PBX''s line.'
                    '--peer|text|The extension.'
                    '--where|text|Such as ''status = 486 and duration < 5'', with = != < <= > >= ~ (contains), in (a, b), none, and, or, not, (). Fields: event_call_id, pbx_call_id, external_id, number, line, peer, direction, status, duration, started, ended, record, received.'
                    '--with-trials|flag|With what `events trigger` and `certify` made up.'
                    '--exclude|file|Whom not to call: every number of a CSV or workbook, perhaps with a column `until`; repeatable.'
                    '--exclude-unread-ok|flag|Go on where an entry of a do-not-call file cannot be read.'
                    '--limit|text|The latest N; 0 for all.'
                    '--store|text|The event store, else the profile''s: a file, sqlite:///..., postgresql://....'
                )
            }
            'alovoice events gaps' = @{
                o = @(
                    '--since|text|From then on: 2h, 7d, today, yesterday, 14:30, 2025-04-25, ''2025-04-25 14:30'', with a zone too; or all.'
                    '--until|text|Up to then; a day alone is included, whole.'
                    '--with-trials|flag|With what `events trigger` and `certify` made up.'
                    '--limit|text|The latest N; 0 for all.'
                    '--store|text|The event store, else the profile''s: a file, sqlite:///..., postgresql://....'
                )
            }
            'alovoice events export' = @{
                o = @(
                    '--mask-numbers|flag|Hide people''s numbers: 9989067~3fa9c1. The same number looks the same within one export.'
                    '--with-uptime|flag|Print when listeners were there too, for `events import`: lines of the type uptime.'
                    '--limit|text|The latest N; 0 for all.'
                    '--store|text|The event store, else the profile''s: a file, sqlite:///..., postgresql://....'
                    '--since|text|From then on: 2h, 7d, today, yesterday, 14:30, 2025-04-25, ''2025-04-25 14:30'', with a zone too; or all.'
                    '--until|text|Up to then; a day alone is included, whole.'
                    '--type|text|callstart, callend, result, route or probe; a,b for more.'
                    '--number|text|The other party, in any spelling; a,b for more.'
                    '--line|text|The PBX''s line.'
                    '--peer|text|The extension.'
                    '--status|text|200, 304, 480, 486, 603, 603-S ...'
                    '--where|text|Such as ''status = 486 and duration < 5'', with = != < <= > >= ~ (contains), in (a, b), none, and, or, not, (). Fields: id, seq, type, received, sender, event_call_id, pbx_call_id, external_id, number, line, peer, direction, status, duration, started, ended, record, answered, queue, rule, duplicate_of, problem.'
                    '--with-trials|flag|With what `events trigger` and `certify` made up.'
                )
            }
            'alovoice events import' = @{
                o = @(
                    '--complete|flag|State that each file has all events from its first line to its last; reports then count on it.'
                    '--since|text|With --complete: all events from then on.'
                    '--until|text|With --complete: all events up to then.'
                    '--store|text|The event store, else the profile''s: a file, sqlite:///..., postgresql://....'
                )
                a = @(
                    '*file'
                )
            }
            'alovoice events prune' = @{
                o = @(
                    '--older-than|text|Such as 90d, 12w or 36h.'
                    '--store|text|The event store, else the profile''s: a file, sqlite:///..., postgresql://....'
                )
            }
            'alovoice events outbox' = @{
                c = @(
                    'list|List waiting events and dead letters, oldest first'
                    'retry|Send events again now, dead letters too'
                    'drop|Remove events from the outbox, so that they are not sent'
                )
            }
            'alovoice events outbox list' = @{
                o = @(
                    '--target|text|Only of this target: its id, its URL or its program.'
                    '--state|text|Only what waits, or only dead letters.'
                    '--store|text|The event store, else the profile''s: a file, sqlite:///..., postgresql://....'
                )
            }
            'alovoice events outbox retry' = @{
                o = @(
                    '--all|flag|All that wait, and all dead letters.'
                    '--to|text|Hand them to this target, as --forward names it, or by its id.'
                    '--target|text|Only of this target: its id, its URL or its program.'
                    '--state|text|Only what waits, or only dead letters.'
                    '--store|text|The event store, else the profile''s: a file, sqlite:///..., postgresql://....'
                )
                a = @(
                    '*text'
                )
            }
            'alovoice events outbox drop' = @{
                o = @(
                    '--all|flag|All that wait, and all dead letters.'
                    '--target|text|Only of this target: its id, its URL or its program.'
                    '--state|text|Only what waits, or only dead letters.'
                    '--store|text|The event store, else the profile''s: a file, sqlite:///..., postgresql://....'
                )
                a = @(
                    '*text'
                )
            }
            'alovoice events trigger' = @{
                o = @(
                    '--to|text|Where handlers are; the type is added. TYPE=URL: as it is.'
                    '--set|text|A field''s value, as JSON or text; repeatable.'
                    '--unset|text|Leave a field out; repeatable.'
                    '--from-event|text|Begin with a stored event.'
                    '--scenario|text|Several events: answered, busy-twice, conference, missed-then-callback, routed, transfer.'
                    '--count|text|So many, each different.'
                    '--rate|text|So many a second, not waiting.'
                    '--store|text|The store that --from-event reads.'
                )
                a = @(
                    'choice:callstart callend result route'
                )
            }
            'alovoice events replay' = @{
                o = @(
                    '--to|text|Where handlers are; the type is added. TYPE=URL: as it is.'
                    '--speed|text|1: with the gaps that there were; 60: a minute a second.'
                    '--store|text|The event store, else the profile''s: a file, sqlite:///..., postgresql://....'
                    '--since|text|From then on: 2h, 7d, today, yesterday, 14:30, 2025-04-25, ''2025-04-25 14:30'', with a zone too; or all.'
                    '--until|text|Up to then; a day alone is included, whole.'
                    '--type|text|callstart, callend, result, route or probe; a,b for more.'
                    '--number|text|The other party, in any spelling; a,b for more.'
                    '--line|text|The PBX''s line.'
                    '--peer|text|The extension.'
                    '--status|text|200, 304, 480, 486, 603, 603-S ...'
                    '--where|text|Such as ''status = 486 and duration < 5'', with = != < <= > >= ~ (contains), in (a, b), none, and, or, not, (). Fields: id, seq, type, received, sender, event_call_id, pbx_call_id, external_id, number, line, peer, direction, status, duration, started, ended, record, answered, queue, rule, duplicate_of, problem.'
                    '--with-trials|flag|With what `events trigger` and `certify` made up.'
                )
                a = @(
                    '*text'
                )
            }
            'alovoice events certify' = @{
                o = @(
                    '--callstart|text|The handler of callstart, as it is.'
                    '--callend|text|The handler of callend, as it is.'
                    '--result|text|The handler of result, as it is.'
                    '--route|text|The handler of route, as it is.'
                    '--only|text|This case, or all of start, end, ...; repeatable.'
                    '--slow|flag|Really wait for what comes 30 s late.'
                    '--junit|file|Write JUnit XML too.'
                )
                a = @(
                    'text'
                )
            }
            'alovoice store' = @{
                c = @(
                    'check|Look an event store over and change nothing: version, size, age, whether it is whole, and what waits'
                    'copy|Copy a history to a server: events, calls, what waits to be forwarded or told, and when listeners were up'
                )
            }
            'alovoice store check' = @{
                o = @(
                    '--store|text|The event store, else the profile''s: a file, sqlite:///....'
                )
            }
            'alovoice store copy' = @{
                a = @(
                    'text'
                    'text'
                )
            }
            'alovoice day' = @{
                o = @(
                    '--week|flag|Show the seven days that end with it, and speech scores.'
                    '--text|flag|Print short lines for a mail or a messenger.'
                    '--html|file|Write one page for a browser and A4; - for stdout.'
                    '--force|flag|Replace the page''s file.'
                    '--rules|file|Score speech by this file; with --week.'
                    '--store|text|The event store, else the profile''s: a file, sqlite:///..., postgresql://....'
                )
                a = @(
                    'text'
                )
            }
            'alovoice top' = @{
                o = @(
                    '--once|flag|Show it once, and end.'
                    '--store|text|The event store, else the profile''s: a file, sqlite:///..., postgresql://....'
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
            }
            'alovoice ai send' = @{
                o = @(
                    '--again|flag|Also of calls that were sent before.'
                    '--budget|text|At most N analyses in 24 hours, else nothing is sent.'
                    '--since|text|Of finished calls from then on, in place of CALL_ID: yesterday, 2h, 2025-04-25 ...'
                    '--until|text|Up to then; a day alone is included, whole.'
                    '--peer|text|Of this extension; a,b for more.'
                    '--line|text|Of this line of the PBX; a,b for more.'
                    '--min-duration|text|At least so long: 20s, 2m.'
                    '--limit|text|At most the latest N; 0 for all.'
                    '--with-imported|flag|Also calls that `events import` brought from another machine.'
                    '--store|text|The event store, else the profile''s: a file, sqlite:///..., postgresql://....'
                    '--batch|file|A CSV, workbook or JSON Lines; its columns are the options, - is stdin.'
                    '--map|text|Which column an option stands in; repeatable.'
                    '--confirm|text|The number of people you mean; another stops it.'
                    '--list-encoding|text|The list''s encoding, else found.'
                    '--sheet|text|The sheet of a workbook, else the first.'
                    '--header-line|text|The line of the headings; lines above are left out.'
                    '--jobs|text|How many at once; 1 if left out.'
                    '--rate|text|At most so many a second, minute or hour.'
                    '--window|text|Sleep outside these hours, by the profile''s zone.'
                    '--stop-after-failures|text|Begin no row after so many have failed.'
                    '--report|file|Your columns, with each row''s outcome.'
                    '--journal|text|Where it is kept what was sent; else by the list.'
                    '--restart|flag|Send all rows anew; asks.'
                    '--changed-ok|flag|The list has changed: take its new rows.'
                    '--retry-refused|flag|Send again what the PBX refused.'
                    '--resend-unknown|flag|Ask for each unknown row whether to send it again.'
                    '--accept-risk|flag|Rows that are unknown or were sent before may ring twice.'
                    '--override-limit|text|Let a limit of the profile pass; repeatable.'
                )
                a = @(
                    '*text'
                )
            }
            'alovoice ai result' = @{
                o = @(
                    '--wait|text|Ask until it is ready, at most so long: --wait=90s, --wait=1h; --wait alone is 10m.'
                    '--interval|text|The first pause; each following one is longer.'
                    '--format|choice:text json md srt vtt csv html|The form; else what the terminal or the pipe calls for.'
                    '-o --output|file|Into a file; of several calls each into a folder.'
                    '--force|flag|Replace a file that is there.'
                    '--mask-numbers|flag|Hide phones, cards and other long numbers, spoken ones too.'
                    '--peer|text|The operator''s extension, where the event store does not know it.'
                    '--store --no-store|flag|Keep it for ai show, list, grep, score and report.'
                    '--batch|file|A CSV, workbook or JSON Lines; its columns are the options, - is stdin.'
                    '--map|text|Which column an option stands in; repeatable.'
                    '--list-encoding|text|The list''s encoding, else found.'
                    '--sheet|text|The sheet of a workbook, else the first.'
                    '--header-line|text|The line of the headings; lines above are left out.'
                    '--jobs|text|How many at once; 1 if left out.'
                    '--rate|text|At most so many a second, minute or hour.'
                    '--stop-after-failures|text|Begin no row after so many have failed.'
                    '--report|file|Your columns, with each row''s outcome.'
                )
                a = @(
                    '*text'
                )
            }
            'alovoice ai show' = @{
                o = @(
                    '--format|choice:text json md srt vtt csv html|The form; else what the terminal or the pipe calls for.'
                    '-o --output|file|Into a file; of several calls each into a folder.'
                    '--force|flag|Replace a file that is there.'
                    '--mask-numbers|flag|Hide phones, cards and other long numbers, spoken ones too.'
                )
                a = @(
                    '*text'
                )
            }
            'alovoice ai list' = @{
                o = @(
                    '--since|text|Calls from then on: 2h, 7d, today, yesterday, 2025-04-25, 14:30 ...'
                    '--until|text|Calls up to then; a day alone is included, whole.'
                    '--tag|text|With this tag; several: with all of them.'
                    '--without-tag|text|Without this tag.'
                    '--peer|text|Of this extension, where it is known.'
                    '--limit|text|The latest N; 0 for all.'
                )
            }
            'alovoice ai grep' = @{
                o = @(
                    '--speaker|choice:operator client|Only what this side said.'
                    '-C --context|text|Show N phrases before and after, too.'
                    '-w --word|flag|Only whole words.'
                    '--since|text|Calls from then on: 2h, 7d, today, yesterday, 2025-04-25, 14:30 ...'
                    '--until|text|Calls up to then; a day alone is included, whole.'
                    '--tag|text|With this tag; several: with all of them.'
                    '--without-tag|text|Without this tag.'
                    '--peer|text|Of this extension, where it is known.'
                    '--limit|text|In at most N calls; 0 for all.'
                    '--mask-numbers|flag|Hide long numbers, spoken ones too.'
                )
                a = @(
                    'text'
                )
            }
            'alovoice ai score' = @{
                o = @(
                    '--rules|file|What a good call is, such as qa.toml.'
                    '--check|flag|Only check the rules file.'
                    '--by|choice:call operator week|What the table shows.'
                    '--fail-under|text|Exit 8 for an average below; else the file''s bar.'
                    '--init|flag|Write a rules file to start from (scores.toml).'
                    '--set|text|Set the score of CALL_ID by hand, 0 to 100.'
                    '--note|text|Why; --set needs it.'
                    '--unset|flag|Remove the score of CALL_ID that was set by hand.'
                    '--since|text|Calls from then on: 2h, 7d, today, yesterday, 2025-04-25, 14:30 ...'
                    '--until|text|Calls up to then; a day alone is included, whole.'
                    '--tag|text|With this tag; several: with all of them.'
                    '--without-tag|text|Without this tag.'
                    '--peer|text|Of this extension, where it is known.'
                )
                a = @(
                    'text'
                )
            }
            'alovoice ai report' = @{
                o = @(
                    '--by|choice:day week operator tag|What is counted together.'
                    '--html|file|Write one page that opens offline.'
                    '--rules|file|What scores go by, as in `ai score`; else times alone.'
                    '--worst|text|The page shows the N worst calls.'
                    '--force|flag|Replace a page that is there.'
                    '--mask-numbers|flag|Hide long numbers in what was said.'
                    '--since|text|Calls from then on: 2h, 7d, today, yesterday, 2025-04-25, 14:30 ...'
                    '--until|text|Calls up to then; a day alone is included, whole.'
                    '--tag|text|With this tag; several: with all of them.'
                    '--without-tag|text|Without this tag.'
                    '--peer|text|Of this extension, where it is known.'
                )
            }
            'alovoice ai audio' = @{
                o = @(
                    '-o --output|file|Where to save; in a folder, or without it, CALL_ID.wav or .mp3.'
                    '--force|flag|Replace a file that is there.'
                    '--resume|flag|Keep what came before a break, and go on from there; leave finished files.'
                )
                a = @(
                    '*text'
                )
            }
            'alovoice ai prune' = @{
                o = @(
                    '--older-than|text|Of calls that began longer ago: 90d, 26w.'
                )
            }
            'alovoice listen' = @{
                c = @(
                    'check|Send a proof to the public URL, and look for it in the store'
                )
                o = @(
                    '--host|text|The address to listen on; 127.0.0.1 by default.'
                    '--port|text|8787 by default; 0 picks a free one.'
                    '--store|text|Where events are kept; else the profile''s own file.'
                    '--secret|text|What stands in the URLs'' path; auto makes one, and keeps it.'
                    '--forward|text|Pass events on; callstart=URL is asked for its answer, call=URL and missed=URL get finished calls.'
                    '--forward-timeout|text|How long a callstart waits for the CRM; 2 by default.'
                    '--forward-header|text|A header for what is forwarded, such as Authorization; @FILE has one a line. Never shown.'
                    '--forward-json --forward-raw|flag|Forward the event as JSON, whatever came; else the body as it came.'
                    '--sign-secret|text|Sign what is forwarded: whsec_..., or @FILE with it.'
                    '--exec|text|Start a program for each event, or call.'
                    '--notify|text|Tell people of missed calls when the grace is over, and again when somebody talked to the caller.'
                    '--notify-on|choice:missed|What --notify tells of.'
                    '--grace|text|How long a missed call waits for a call back; 90s by default.'
                    '--rules|file|The rules that answer route questions.'
                    '--fallback|text|What a caller gets for want of a rule, such as queue:6000.'
                    '--deadline|text|How long a caller waits for the rules, then fallback; 700ms by default.'
                    '--shadow|file|Note what these rules would have answered.'
                    '--allow-from|text|Only these addresses may deliver.'
                    '--trusted-proxy|text|Whose X-Forwarded-For is believed.'
                    '--tls-cert|file|Serve https with this certificate.'
                    '--tls-key|file|Its key.'
                    '--no-dedupe --dedupe|flag|Pass repeated deliveries on too.'
                    '--ready-file|file|The URLs as JSON, there while all works.'
                    '--admin|text|Serve /live, /ready and /metrics there; no default.'
                    '--log-format|choice:text json|Date what is said on stderr, as text or as JSON lines.'
                    '--print-systemd|flag|Print a systemd unit for this line.'
                    '--print-nginx|flag|Print an nginx location for this line.'
                )
            }
            'alovoice listen check' = @{
                o = @(
                    '--url|text|One of the four URLs as AloVoice calls it, or what they share.'
                    '--store|text|The listener''s store; else the profile''s own file.'
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
            }
            'alovoice route init' = @{
                a = @(
                    'file'
                )
            }
            'alovoice route check' = @{
                o = @(
                    '--online|flag|Ask the PBX whether extensions and lines exist.'
                    '--strict|flag|Warnings fail the check too.'
                )
                a = @(
                    'file'
                )
            }
            'alovoice route test' = @{
                o = @(
                    '--from|text|Who calls; hidden, or left out: a hidden number.'
                    '--line|text|The line called.'
                    '--queue|text|The department, if the call has one.'
                    '--direction|choice:inc out|In or out.'
                    '--at|text|''2026-11-23 19:00'' in the rules'' time zone; else now.'
                    '--last-peer|text|As if the caller had spoken with this extension.'
                    '--calls|text|As if they had called so often.'
                    '--missed|text|As if so many calls had been missed.'
                    '--store|text|Whose calls are the past; else the profile''s store.'
                    '--explain|flag|Each rule that was tried, and why it did not match.'
                )
                a = @(
                    'file'
                )
            }
            'alovoice route diff' = @{
                o = @(
                    '--since|text|Questions from then on: 7d, yesterday, 2026-11-23; or all.'
                    '--until|text|Up to then; a day alone is included, whole.'
                    '--store|text|The event store; else the profile''s own.'
                )
                a = @(
                    'file'
                    'file'
                )
            }
            'alovoice route override' = @{
                o = @(
                    '--for|text|How long: 30m, 2h, up to 31d; then it ends by itself.'
                    '--off|flag|End it now.'
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
            }
            'alovoice notify test' = @{
                o = @(
                    '--to|text|Send to this one; else to all of listen.notify.'
                )
            }
            'alovoice notify login' = @{
                o = @(
                    '--with-token|flag|Read the token from stdin.'
                    '--no-check|flag|Do not ask Telegram about the token.'
                )
            }
            'alovoice notify logout' = @{
            }
            'alovoice trunks' = @{
            }
            'alovoice peers' = @{
                o = @(
                    '--status|choice:on off|Only extensions that are on, or off.'
                    '--number|text|Only the extension of this number.'
                    '--show-secrets|flag|Show passwords and tokens whole, not masked.'
                )
            }
            'alovoice api' = @{
                o = @(
                    '-f --raw-field|text|A text field; repeatable.'
                    '-F --field|text|A field: number, true, false, null, @file; repeatable.'
                    '--input|file|The body as it is; - for stdin.'
                    '-H --header|text|A header; repeatable.'
                    '-i --include|flag|Print status and headers too.'
                    '--show-secrets|flag|Show passwords and tokens whole, not masked.'
                )
                a = @(
                    'text'
                    'text'
                )
            }
            'alovoice login' = @{
                o = @(
                    '--with-token|flag|Read the token from stdin.'
                    '--token-command|text|Store this command instead; it prints the token alone.'
                    '--no-check|flag|Do not ask the PBX whether it takes the token.'
                )
            }
            'alovoice logout' = @{
                a = @(
                    'profile'
                )
            }
            'alovoice status' = @{
                o = @(
                    '--offline|flag|Ask the PBX nothing.'
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
            }
            'alovoice config list' = @{
            }
            'alovoice config get' = @{
                a = @(
                    'choice:profile require_profile base_url encoding timezone lang timeout token_command trunks store peer_names quiet_hours max_recipients allowed_prefixes confirm_above max_calls_per_run max_calls_per_day ai_budget_per_day trunk_lines reserve_lines max_campaigns_per_day service_seconds short_abandon_seconds duration_counts target_service_level target_answer_rate target_abandon_rate target_wait target_owed target_callback insecure listen.host listen.port listen.store listen.secret listen.forward listen.forward-timeout listen.forward-header listen.forward-json listen.sign-secret listen.exec listen.notify listen.notify-on listen.grace listen.rules listen.fallback listen.deadline listen.shadow listen.allow-from listen.trusted-proxy listen.tls-cert listen.tls-key listen.no-dedupe listen.ready-file listen.admin listen.log-format notify.telegram.token_command notify.telegram.api_url'
                )
            }
            'alovoice config set' = @{
                a = @(
                    'choice:profile require_profile base_url encoding timezone lang timeout token_command trunks store peer_names quiet_hours max_recipients allowed_prefixes confirm_above max_calls_per_run max_calls_per_day ai_budget_per_day trunk_lines reserve_lines max_campaigns_per_day service_seconds short_abandon_seconds duration_counts target_service_level target_answer_rate target_abandon_rate target_wait target_owed target_callback insecure listen.host listen.port listen.store listen.secret listen.forward listen.forward-timeout listen.forward-header listen.forward-json listen.sign-secret listen.exec listen.notify listen.notify-on listen.grace listen.rules listen.fallback listen.deadline listen.shadow listen.allow-from listen.trusted-proxy listen.tls-cert listen.tls-key listen.no-dedupe listen.ready-file listen.admin listen.log-format notify.telegram.token_command notify.telegram.api_url'
                    'text'
                )
            }
            'alovoice config unset' = @{
                a = @(
                    'choice:profile require_profile base_url encoding timezone lang timeout token_command trunks store peer_names quiet_hours max_recipients allowed_prefixes confirm_above max_calls_per_run max_calls_per_day ai_budget_per_day trunk_lines reserve_lines max_campaigns_per_day service_seconds short_abandon_seconds duration_counts target_service_level target_answer_rate target_abandon_rate target_wait target_owed target_callback insecure listen.host listen.port listen.store listen.secret listen.forward listen.forward-timeout listen.forward-header listen.forward-json listen.sign-secret listen.exec listen.notify listen.notify-on listen.grace listen.rules listen.fallback listen.deadline listen.shadow listen.allow-from listen.trusted-proxy listen.tls-cert listen.tls-key listen.no-dedupe listen.ready-file listen.admin listen.log-format notify.telegram.token_command notify.telegram.api_url'
                )
            }
            'alovoice config use' = @{
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
            }
            'alovoice sandbox serve' = @{
                o = @(
                    '--host|text|A loopback address.'
                    '--port|text|0 picks a free one.'
                    '--token|text|The token to accept (no secret); else one made once.'
                    '--speed|text|Simulated seconds a second.'
                    '--seed|text|Makes a run repeatable.'
                    '--fault|text|What goes wrong, and how often.'
                    '--state|file|Its database; else the embedded PBX''s own.'
                    '--events-to|text|Call back: a base that serves all, or a URL for callstart, callend, result or route; repeatable.'
                    '--inbound|text|Simulate callers: so many an hour.'
                    '--day|text|Play a day''s calls from its midnight (or today): in, out, inside, requested.'
                    '--chaos|text|Messages sent twice, held back or overtaken: dup=3%,late=5%,reorder=1%.'
                )
            }
            'alovoice sandbox reset' = @{
            }
            'alovoice sandbox path' = @{
            }
            'alovoice sandbox sample' = @{
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
                    '--install|directory|Write it as DIR/alovoice/SKILL.md instead, over an older one.'
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
