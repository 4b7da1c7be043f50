# display.sh: a display that nobody sees, for programs with dialogs of their own. Sourced after lib.sh and tls.sh.

# The number is taken by a file, so that other such servers, in whatever network namespace, have others.
start_display() {
    local number
    for number in $(seq 90 140); do
        Xvfb ":$number" -screen 0 1000x700x24 -nolisten tcp >xvfb.said 2>&1 &
        display=$!
        wait_for "the display" display_is_up_or_ended "$number"
        if display_is_up "$number"; then
            ends_with_us $display
            export DISPLAY=:$number
            return
        fi
    done
    fail "there is no free display: $(cat xvfb.said)"
    finish
}
display_is_up() { [ -S "/tmp/.X11-unix/X$1" ] && [ "$(tr -d ' ' <"/tmp/.X$1-lock")" = $display ]; }
display_is_up_or_ended() { display_is_up "$1" || ! kill -0 $display; }

# expect_dialogs TITLE: which windows press is about, from now on; those before are forgotten.
expect_dialogs() {
    dialog_title=$1
    last_dialog=
}

new_dialog() {
    dialog=$(xdotool search --onlyvisible --name "$dialog_title" | tail -1)
    [ -n "$dialog" ] && [ "$dialog" != "$last_dialog" ]
}

# press KEY...: in the next such window.
press() {
    wait_for "the dialog" new_dialog
    last_dialog=$dialog
    xdotool windowfocus --sync "$dialog" key "$@"
}
