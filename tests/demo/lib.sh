# lib.sh: how the demo tells its story. Sourced by story.

now_doing="setting up"
story_started_ms=$(date +%s%3N)
steps_done=0

if [ -t 1 ]; then
    bold=$(tput bold 2>/dev/null || true) plain=$(tput sgr0 2>/dev/null || true)
else
    bold='' plain=''
fi

chapter() { printf '\n%s%s. %s%s\n' "$bold" "$1" "$2" "$plain"; }

# step TITLE FUNCTION: runs it, indents what it prints, and says how long it took. A failure ends the story.
step() {
    local started_ms ended_ms
    now_doing=$1
    printf '\n  %s\n' "$1"
    started_ms=$(date +%s%3N)
    if [ -n "$interactive" ]; then
        "$2" # the terminal must stay a terminal
    else
        "$2" >"$state/step" 2>&1 # not in a condition: that would switch errexit off inside
        show_step
    fi
    ended_ms=$(date +%s%3N)
    steps_done=$((steps_done + 1))
    printf '  done in %d.%03d s\n' $(((ended_ms - started_ms) / 1000)) $(((ended_ms - started_ms) % 1000))
}

show_step() { sed 's/^/    | /' "$state/step"; }

finish() {
    local took_ms=$(($(date +%s%3N) - story_started_ms))
    now_doing=
    printf '\n%sAll %d steps done in %d.%03d s.%s\n' "$bold" "$steps_done" $((took_ms / 1000)) $((took_ms % 1000)) "$plain"
}

# answer LINE...: what the scripted pinentry will answer to the next questions; nobody's business when a person does.
answer() {
    [ -z "$interactive" ] || return 0
    : >"$SCRIPTED_PINENTRY_DIR/log"
    printf '%s\n' "$@" >"$SCRIPTED_PINENTRY_DIR/script"
}

# Shows the last question as the user sees it.
show_question() {
    [ -z "$interactive" ] || return 0
    echo "the window said:"
    sed -n 's/^  DESC //p' "$SCRIPTED_PINENTRY_DIR/log" | tail -1 | sed 's/%0A/\n/g; s/%25/%/g' | sed 's/^/    > /'
}
