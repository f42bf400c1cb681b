"""The completion script of PowerShell, from Windows PowerShell 5.1 on.

It is ASCII: 5.1 reads a script without a mark in the machine's own code page, and takes typographic quotes for quotes.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence

from alovoice_cli.reference.tree import ALWAYS_THERE, Argument, Command, Option, common_options, own_options

_SCRIPT = r"""# PowerShell completion for @NAME@, written by `@NAME@ completion powershell`.

# The names of the profiles: the tables of config.toml, and those that always exist.
function __@NAME@_profiles {
    @ALWAYS_THERE@
    # A relative path in XDG_CONFIG_HOME is to be ignored: XDG Base Directory Specification.
    $config = if ($env:XDG_CONFIG_HOME -like '/*') { $env:XDG_CONFIG_HOME } else { "$HOME/.config" }
    $folders = @("$config/@NAME@", "$HOME/Library/Application Support/@NAME@", "$env:LOCALAPPDATA/@NAME@")
    if ($env:@CONFIG_DIR@) { $folders = @($env:@CONFIG_DIR@) }
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
function __@NAME@_common {
@COMMON@
}

# What the command of this path takes: commands (c, name|help), options (o), and kinds of arguments (a; * is for all
# that follow). Made at the first TAB, for it is long.
function __@NAME@_command([string] $path) {
    if (-not $script:__@NAME@_tree) {
        $script:__@NAME@_tree = @{
@COMMANDS@
        }
    }
    $script:__@NAME@_tree[$path]
}

# The kind of word that follows this option of the command of this path: nothing for a flag.
function __@NAME@_option([string] $path, [string] $flag) {
    foreach ($line in @((__@NAME@_command $path).o) + @(__@NAME@_common)) {
        $flags, $kind, $help = $line -split '\|', 3
        if (($flags -split ' ') -ccontains $flag) { return $(if ($kind -eq 'flag') { '' } else { $kind }) }
    }
    ''
}

function __@NAME@_result([string] $text, [string] $kind, [string] $help) {
    $typed = if ($text -match '\s') { "'$($text -replace "'", "''")'" } else { $text }
    [System.Management.Automation.CompletionResult]::new($typed, $text, $kind, $(if ($help) { $help } else { $text }))
}

# The words of this kind that begin as the typed word does; each is written behind what stands before it.
function __@NAME@_offer([string] $kind, [string] $begin, [string] $before) {
    $words = @()
    if ($kind -eq 'profile') { $words = @(__@NAME@_profiles | Select-Object -Unique) }
    if ($kind -like 'choice:*') { $words = $kind.Substring(7) -split ' ' }
    foreach ($word in $words) {
        if ($word.StartsWith($begin, [System.StringComparison]::Ordinal)) {
            __@NAME@_result "$before$word" 'ParameterValue' ''
        }
    }
}

function __@NAME@_options([string] $path, [string] $begin) {
    foreach ($line in @((__@NAME@_command $path).o) + @(__@NAME@_common)) {
        $flags, $kind, $help = $line -split '\|', 3
        foreach ($flag in $flags -split ' ') {
            if ($flag -and $flag.StartsWith($begin, [System.StringComparison]::Ordinal)) {
                __@NAME@_result $flag 'ParameterName' $help
            }
        }
    }
}

Register-ArgumentCompleter -Native -CommandName '@NAME@' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    Set-StrictMode -Off
    $path, $pending, $place, $wordsOnly = '@NAME@', '', 0, $false
    foreach ($element in $commandAst.CommandElements | Select-Object -Skip 1) {
        if ($element.Extent.EndOffset -ge $cursorPosition) { break }
        $word = $element.Extent.Text.Trim("'", '"')
        if ($pending) { $pending = '' }
        elseif ($word -ceq '--' -and -not $wordsOnly) { $wordsOnly = $true }
        elseif ($word.StartsWith('-') -and -not $wordsOnly) { $pending = __@NAME@_option $path $word }
        elseif (__@NAME@_command "$path $word") { $path = "$path $word" }
        else { $place++ }
    }
    $begin, $before, $kind = "$wordToComplete".Trim("'", '"'), '', $pending
    if (-not $pending -and -not $wordsOnly -and $begin -match '^(--[a-z-]+)=(.*)$') {
        $before, $begin, $kind = "$($Matches[1])=", $Matches[2], (__@NAME@_option $path $Matches[1])
    }
    $command = __@NAME@_command $path
    $offers = @()
    if ($kind) { $offers = @(__@NAME@_offer $kind $begin $before) }
    elseif ($begin.StartsWith('-') -and -not $wordsOnly) { $offers = @(__@NAME@_options $path $begin) }
    elseif ($command.c) {
        foreach ($line in $command.c) {
            $name, $help = $line -split '\|', 2
            if ($name.StartsWith($begin, [System.StringComparison]::Ordinal)) {
                $offers += __@NAME@_result $name 'ParameterValue' $help
            }
        }
    }
    elseif ($command.a) {
        $kind = $command.a[[Math]::Min($place, $command.a.Count - 1)]
        if ($place -ge $command.a.Count -and -not $kind.StartsWith('*')) { $kind = '' }
        $kind = $kind.TrimStart('*')
        $offers = @(__@NAME@_offer $kind $begin '')
    }
    elseif (-not $begin) { $offers = @(__@NAME@_options $path '') }
    # Where nothing is offered, PowerShell offers files: wanted for a file, and else kept off by an empty word.
    if ($offers) { $offers } elseif ($kind -notin 'file', 'directory') { '' }
}
"""


def write_powershell(tree: Command) -> str:
    """Returns the script for this tree."""
    common = common_options(tree)
    parts = {
        "ALWAYS_THERE": ", ".join(map(_quoted, ALWAYS_THERE)),
        "CONFIG_DIR": f"{tree.name.upper()}_CONFIG_DIR",
        "COMMON": "\n".join(f"    {_quoted(_option(option))}" for option in common),
        "COMMANDS": "\n".join(line for command in tree.walk() for line in _command(command, common)),
        "NAME": tree.name,  # the last: the other parts may hold it
    }
    script = _SCRIPT
    for name, part in parts.items():
        script = script.replace(f"@{name}@", part)
    return script


def _command(command: Command, common: Sequence[Option]) -> Iterator[str]:
    """Yields the lines of a command in the table of all."""
    indent = " " * 12
    yield f"{indent}{_quoted(' '.join(command.path))} = @{{"
    yield from _list("c", (f"{below.name}|{below.summary}" for below in command.shown))
    yield from _list("o", map(_option, own_options(command, common)))
    arguments = () if command.shown else command.arguments
    yield from _list("a", (("*" if one.repeatable else "") + _kind(one) for one in arguments))
    yield f"{indent}}}"


def _list(name: str, texts: Iterable[str]) -> Iterator[str]:
    lines = [f"{' ' * 20}{_quoted(text)}" for text in texts]
    if lines:
        yield f"{' ' * 16}{name} = @("
        yield from lines
        yield f"{' ' * 16})"


def _option(option: Option) -> str:
    return f"{' '.join(option.flags)}|{_kind(option)}|{' '.join(option.help.split())}"


def _kind(word: Option | Argument) -> str:
    return f"choice:{' '.join(word.offers)}" if word.offers else word.kind


def _quoted(text: str) -> str:
    """Returns the text as a PowerShell string that is taken literally, in ASCII."""
    plain = unicodedata.normalize("NFKD", text).translate({0x2013: "-", 0x2014: "-", 0x2019: "'", 0x2026: "..."})
    plain = plain.encode("ascii", "ignore").decode("ascii")
    return "'" + plain.replace("'", "''") + "'"
