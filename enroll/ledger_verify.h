/*
 * ledger_verify: is the ledger whole, and if not, which line is the first that is not as it was written?
 *
 * Owner: plain values. Thread rule: one thread.
 */
#ifndef PINWARD_ENROLL_LEDGER_VERIFY_H
#define PINWARD_ENROLL_LEDGER_VERIFY_H

#include <stdint.h>

#include "enroll/ledger_read.h"

enum ledger_fault {
    LEDGER_WHOLE,
    LEDGER_TORN,     /* the line is none that the ledger's writer finishes: torn by a crash, or overwritten */
    LEDGER_CHANGED,  /* the line is not the one that the next line, or the head, was written after */
    LEDGER_MISSING,  /* before the line, lines were taken out */
    LEDGER_INSERTED, /* the line does not belong here */
    LEDGER_ANEW,     /* from the line on the chain begins anew: the head was missing when it was written */
    LEDGER_CUT,      /* lines are missing at the end */
    LEDGER_HEADLESS, /* the head is missing or damaged: lines could be missing at the end */
};

struct ledger_report {
    unsigned long long lines;
    unsigned long long faults;
    enum ledger_fault fault;    /* the first */
    unsigned long long line;    /* its place in the file, counted from 1; LEDGER_CUT and _HEADLESS: one past the last */
    unsigned long long missing; /* LEDGER_MISSING, _CUT: how many lines */
};

/* Reads all that is left of the reader's lines. */
void ledger_verify(struct ledger_reader *reader, struct ledger_report *report);

#endif
