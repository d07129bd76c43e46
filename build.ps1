#Requires -Version 7.0
<#
.SYNOPSIS
    Builds OnnxNas.
.DESCRIPTION
    Runs the targets in the order given and stops at the first step that fails. './build.ps1 help' lists the targets.
.EXAMPLE
    ./build.ps1
    Builds everything.
.EXAMPLE
    ./build.ps1 build test pack publish
    What a release needs.
#>
[CmdletBinding(SupportsShouldProcess)]
param(
    # What to do, in this order.
    [Parameter(Position = 0, ValueFromRemainingArguments)]
    [string[]] $Target = @('build'),

    [ValidateSet('Debug', 'Release')]
    [string] $Configuration = 'Release',

    # Which native packages to build with.
    [ValidateSet('cpu', 'cuda')]
    [string] $Accelerator = 'cpu'
)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$solution = [IO.Path]::Combine($PSScriptRoot, 'OnnxNas.sln')
$commandLine = [IO.Path]::Combine($PSScriptRoot, 'src', 'OnnxNas.Cli')
$artifacts = [IO.Path]::Combine($PSScriptRoot, 'artifacts')

function Invoke-DotNet {
    & dotnet @args "-p:Accelerator=$Accelerator"
    if ($LASTEXITCODE -ne 0) {
        throw "dotnet $args failed with exit code $LASTEXITCODE."
    }
}

$targets = [ordered]@{
    help    = 'List the targets.', {
        foreach ($name in $targets.Keys) { '{0,-8} {1}' -f $name, $targets[$name][0] }
    }
    restore = 'Restore the packages.', {
        Invoke-DotNet restore $solution
    }
    build   = 'Compile everything; warnings are errors in Release.', {
        Invoke-DotNet build $solution -c $Configuration
    }
    test    = 'Run all tests.', {
        Invoke-DotNet test --solution $solution -c $Configuration
    }
    pack    = 'Make the NuGet packages of the libraries and the tool, in artifacts/packages.', {
        # ContinuousIntegrationBuild keeps this machine's paths out of what is given away.
        Invoke-DotNet pack $solution -c $Configuration -o ([IO.Path]::Combine($artifacts, 'packages')) -p:ContinuousIntegrationBuild=true
    }
    publish = 'Make a folder that runs by itself on this system, in artifacts/publish.', {
        Invoke-DotNet publish $commandLine -c $Configuration -o ([IO.Path]::Combine($artifacts, 'publish')) -p:ContinuousIntegrationBuild=true
    }
    clean   = 'Delete artifacts and all bin and obj folders.', {
        $folders = @($artifacts)
        foreach ($top in 'src', 'tests') {
            foreach ($project in [IO.Directory]::GetDirectories([IO.Path]::Combine($PSScriptRoot, $top))) {
                $folders += [IO.Path]::Combine($project, 'bin'), [IO.Path]::Combine($project, 'obj')
            }
        }
        foreach ($folder in $folders) {
            if ([IO.Directory]::Exists($folder) -and $PSCmdlet.ShouldProcess($folder, 'delete')) {
                [IO.Directory]::Delete($folder, $true)
            }
        }
    }
}

foreach ($name in $Target) {
    if (-not $targets.Contains($name)) {
        throw "Unknown target '$name': the targets are $($targets.Keys -join ', ')."
    }
}

foreach ($name in $Target) {
    & $targets[$name][1]
}
