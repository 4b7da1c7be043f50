# lib.sh: what the clients' scripts share. Each script sources it first, with PINWARD_STAGE set (see stage), then calls
#
#   client NAME "what it shows"       its own folder ($work), token store, state, configuration and pinentry; it is the
#                                     current folder afterwards
#   answer LINE...                    what the user will answer to the next windows, and nothing else (pin_window: the PIN)
#   check "what" COMMAND...           runs it: pass when it succeeds
#   refused "what" COMMAND...         pass when it fails; what it printed is in $work/said
#   said "what" PATTERN               pass when the last command printed it (grep -E)
#   windows "what" N                  pass when there have been N windows since answer
#   costs PROGRAM "use"               the same, with the N that docs/clients.md names for the use
#   rejected "what"                   pass when the module's answer to the last use in its log was a refusal
#   "${as_user[@]}" COMMAND...        runs it with a uid that is not root's, for programs that treat root otherwise
#   isolated                          is the program served by a pinward-agent?
#   logged_by PROGRAM                 who writes pinward.log for it
#   finish                            ends with status 1 when anything failed
#
# With PINWARD_TEST_ISOLATED in the environment $module is p11-kit's client, and a pinward-agent of the script's own has the
# token, the configuration and the pinentry; the programs' environment says nothing of them.
#
# Also: $module, $tool, $stage/signing.pem and so on, $signing_uri, $signing_id, $pin (names.sh and stage).
#
# Everything ends with the script: what a script starts in the background it hands to ends_with_us PID.

. "$PINWARD_CLIENTS/names.sh"
stage=$PINWARD_STAGE
module=$stage/module
[ -z "${PINWARD_TEST_ISOLATED:-}" ] || module=$PINWARD_P11_CLIENT
signing_id=$(cat "$stage/signing.id")
encryption_id=$(cat "$stage/encryption.id")
failures=0
servers=()
scratch= # a folder that goes with the script
agent_folder= # the agent's
as_user=() # files of root are the user's own then
[ "$(id -u)" -ne 0 ] || as_user=(unshare --user --map-user=1000 --map-group=1000)
pin_window="pin $pin"

sections=()
isolated() { [ -n "${PINWARD_TEST_ISOLATED:-}" ]; }

logged_by() { if isolated; then echo pinward-agent; else echo "$1"; fi; }

# The agent keeps what it was started with; whoever connects needs its address only. The name of a socket is short.
start_agent() {
    agent_folder=$(mktemp -d /tmp/pinward-client-XXXXXX)
    "$stage/agent" --socket "$agent_folder/agent.socket" >"$work/served.said" 2>&1 &
    ends_with_us $!
    for _ in $(seq 200); do [ ! -s "$work/served.said" ] || break && sleep 0.05; done
    export P11_KIT_SERVER_ADDRESS=unix:path=$agent_folder/agent.socket
    unset SOFTHSM2_CONF SCRIPTED_PINENTRY_DIR
}

client() {
    work=$stage/clients/$1
    ! isolated || work=$stage/isolated/$1
    rm -rf "$work"
    umask 077
    mkdir -p "$work/home" "$work/pinentry" "$work/run"
    cp -a "$stage/store" "$work/store"
    sed "s|$stage/store|$work/store|" "$stage/store/softhsm2.conf" >"$work/store/softhsm2.conf"
    cd "$work"
    unset DISPLAY WAYLAND_DISPLAY SSH_AUTH_SOCK SSH_AGENT_PID PKCS11_PROVIDER_MODULE
    export HOME=$work/home XDG_CONFIG_HOME=$work/home/.config XDG_STATE_HOME=$work/home/state XDG_RUNTIME_DIR=$work/run
    export XDG_CACHE_HOME=$work/home/.cache LC_ALL=C.UTF-8
    export SOFTHSM2_CONF=$work/store/softhsm2.conf PINWARD_CONF=$work/pinward.conf SCRIPTED_PINENTRY_DIR=$work/pinentry
    export PKCS11_MODULE_PATH=$module
    configure
    answer
    trap tidy_up EXIT
    ! isolated || start_agent
    printf '# %s: %s\n' "$1" "$2"
}

# configure [KEY=VALUE...]: pinward.conf with these keys of [module] besides the defaults, and with the lines of sections, which a
# script sets before client.
configure() {
    {
        printf '[module]\npinentry = %s\n' "$PINWARD_SCRIPTED_PINENTRY"
        [ $# -eq 0 ] || printf '%s\n' "$@"
        printf '[token]\nlabel = %s\n[log]\nfile = %s\nlevel = debug\n' "$token_label" "$work/pinward.log"
        [ ${#sections[@]} -eq 0 ] || printf '%s\n' "${sections[@]}"
    } >"$PINWARD_CONF"
}

tidy_up() {
    local status=$? server
    trap - EXIT
    for server in "${servers[@]}"; do
        kill "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
    done
    [ -z "$scratch" ] || rm -rf "$scratch"
    [ -z "$agent_folder" ] || rm -rf "$agent_folder"
    exit $status
}

ends_with_us() { servers+=("$1"); }

answer() {
    : >"$work/pinentry/log"
    : >"$work/pinentry/script"
    [ $# -eq 0 ] || printf '%s\n' "$@" >"$work/pinentry/script"
}

pass() { printf 'pass: %s\n' "$1"; }

fail() {
    failures=$((failures + 1))
    printf 'FAIL: %s\n' "$1"
    [ ! -s "$work/said" ] || sed 's/^/    | /' "$work/said"
    [ ! -s "$work/pinward.log" ] || tail -5 "$work/pinward.log" | sed 's/^/    log: /'
}

# run COMMAND...: its output goes to $work/said, its status is the function's. The command may be a shell function.
run() {
    if [ "$(type -t "$1")" = function ]; then
        "$@" </dev/null >"$work/said" 2>&1
    else
        timeout 60 "$@" </dev/null >"$work/said" 2>&1
    fi
}

check() {
    local what=$1
    shift
    if run "$@"; then pass "$what"; else fail "$what (status $?)"; fi
}

# A status of 124 to 192 is no refusal: it was stopped, it was not found, it crashed.
refused() {
    local what=$1 status=0
    shift
    run "$@" || status=$?
    if [ $status -ne 0 ] && { [ $status -lt 124 ] || [ $status -gt 192 ]; }; then pass "$what"; else fail "$what (status $status)"; fi
}

said() {
    if grep -qE -- "$2" "$work/said"; then pass "$1"; else fail "$1: \"$2\" was not said"; fi
}

# absent "what" FILE: nothing was left there.
absent() {
    if [ ! -s "$2" ]; then pass "$1"; else fail "$1: $2 is there"; fi
}

# Why something cannot be tried here; it has neither passed nor failed.
skip() { printf 'ok - %s # SKIP %s\n' "$1" "$2"; }

asked() { grep -cE '^(GETPIN|CONFIRM)$' "$work/pinentry/log" || true; }

windows() {
    if [ "$(asked)" -eq "$2" ] && [ ! -s "$work/pinentry/script" ]; then
        pass "$1: windows: $2"
    else
        fail "$1: $(asked) windows, expected $2; answers left: $(wc -l <"$work/pinentry/script")"
        grep -E '^  DESC' "$work/pinentry/log" | sed 's/^/    window: /' || true
    fi
}

# pinward.log names each decision.
rejected() {
    if grep -E 'login|with key' "$work/pinward.log" | tail -1 | grep -q ': denied'; then pass "$1"; else fail "$1: pinward.log says otherwise"; fi
}

# agrees: the user agrees to the one use of a key that follows. Of a program that the agent takes for a forwarder (relayed) the
# login's PIN covers no use: it is a window more than docs/clients.md says.
relayed=0
agrees() {
    if [ "$relayed" -eq 0 ]; then answer "$pin_window"; else answer "$pin_window" "$pin_window"; fi
}

# The rows of docs/clients.md are "| PROGRAM | use | prompts | ...".
costs() {
    local row="^\\| \`?$1\`? \\| $2 \\| ([0-9]+) \\|.*" count
    count=$(sed -nE "s/$row/\\1/p" "$PINWARD_CLIENTS/../../docs/clients.md")
    if [ -n "$count" ]; then windows "$1, $2, as docs/clients.md says" $((count + relayed)); else fail "docs/clients.md has no row for $1, $2"; fi
}

finish() {
    [ $failures -eq 0 ] || exit 1
    exit 0
}
