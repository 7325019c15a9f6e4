// Package fail gives an error what a person needs beside its text: a hint that
// says what to do about it, and the exit code that a script can branch on.
//
// A value flows upward only: the place that knows the remedy wraps the error
// with [Wrap] or makes one with [New]; every layer above may add context with
// fmt.Errorf and %w; the command line prints error and hint once and exits
// with [CodeOf].
//
// It does not print, log or exit.
package fail

import (
	"errors"
	"fmt"
)

// Code is a process exit code. The table is part of the command line's
// contract; see docs/exit-codes.md.
type Code int

// The exit codes.
const (
	Pass         Code = 0   // the verdict is pass, or the command did its work
	Internal     Code = 1   // an error that is ours, or of the machine we run on
	Usage        Code = 2   // the command line, a configuration or a scenario is wrong
	Threshold    Code = 10  // a threshold was missed
	Integrity    Code = 11  // records were lost, duplicated, corrupted or invented
	Inconclusive Code = 12  // no samples, or the generator was the bottleneck
	Regression   Code = 13  // a run is worse than the run it is compared with
	CheckFailed  Code = 14  // a check of the validation suite failed
	Unreachable  Code = 20  // a system under test could not be reached
	Interrupted  Code = 130 // the run was interrupted
)

// coded is an error with a code and a hint; either may be missing (zero).
type coded struct {
	err  error
	code Code
	hint string
}

func (e *coded) Error() string { return e.err.Error() }
func (e *coded) Unwrap() error { return e.err }

// New makes an error of the given code, text and hint.
func New(code Code, hint, format string, args ...any) error {
	return &coded{err: fmt.Errorf(format, args...), code: code, hint: hint}
}

// Wrap adds a code and a hint to err. A nil err stays nil. A code or hint that
// err already carries deeper down wins over this one: whoever is nearest to
// the cause knows best.
func Wrap(err error, code Code, hint string) error {
	if err == nil {
		return nil
	}
	return &coded{err: err, code: code, hint: hint}
}

// CodeOf returns the exit code of err: the innermost code that was attached,
// [Internal] when none was, [Pass] for nil.
func CodeOf(err error) Code {
	if err == nil {
		return Pass
	}
	code := Internal
	for e := (*coded)(nil); errors.As(err, &e); err = e.err {
		if e.code != 0 {
			code = e.code
		}
	}
	return code
}

// HintOf returns the innermost hint attached to err, or "".
func HintOf(err error) string {
	hint := ""
	for e := (*coded)(nil); errors.As(err, &e); err = e.err {
		if e.hint != "" {
			hint = e.hint
		}
	}
	return hint
}
