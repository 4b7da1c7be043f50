# display.sh: a display that nobody sees, for programs with dialogs of their own. Sourced after lib.sh and tls.sh.

start_display() {
    Xvfb -displayfd 3 -screen 0 1000x700x24 -nolisten tcp 3>display 2>xvfb.said &
    ends_with_us $!
    wait_for "the display" test -s display
    DISPLAY=:$(cat display)
    export DISPLAY
}

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
