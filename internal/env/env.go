// Package env is the process as a value: arguments, environment, standard
// streams, terminal, working directory, signals and exit. It is the only
// package that touches these globals of os, so the whole command line runs in
// a test with a fake Env.
//
// main makes one with [Process]; internal/cli hands down only the parts that a
// command needs. Files are opened where they are used: a path is a value, not
// a global.
package env

import (
	"context"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"golang.org/x/term"
)

// Env is what a command may know of the process it runs in.
type Env struct {
	Name   string                      // the program's name as it was called, without its folder
	Args   []string                    // arguments after the program's name
	Stdin  io.Reader                   //
	Stdout io.Writer                   // results
	Stderr io.Writer                   // logs, progress, errors
	Lookup func(string) (string, bool) // one environment variable
	Self   string                      // path of the running program, to start itself again
	TTY    bool                        // whether Stderr is a terminal
	Width  func() int                  // columns of that terminal; 80 where there is none
	// Signals returns a context that ends at the first interrupt; a second one
	// then ends the process at once. The function restores the default earlier.
	Signals func(context.Context) (context.Context, context.CancelFunc)
	// Hangups tells of every SIGHUP until the context ends; without it a hangup
	// ends the process. Nil where there are none.
	Hangups func(context.Context) <-chan struct{}
}

// Process returns the Env of the running process.
func Process() Env {
	self, err := os.Executable()
	if err != nil {
		self = os.Args[0]
	}
	fd := int(os.Stderr.Fd())
	return Env{
		Name:   filepath.Base(os.Args[0]),
		Args:   os.Args[1:],
		Stdin:  os.Stdin,
		Stdout: os.Stdout,
		Stderr: os.Stderr,
		Lookup: os.LookupEnv,
		Self:   self,
		TTY:    term.IsTerminal(fd),
		Width: func() int {
			if w, _, err := term.GetSize(fd); err == nil && w > 0 {
				return w
			}
			return 80
		},
		Signals: func(parent context.Context) (context.Context, context.CancelFunc) {
			ctx, stop := signal.NotifyContext(parent, os.Interrupt, syscall.SIGTERM)
			context.AfterFunc(ctx, stop)
			return ctx, stop
		},
		Hangups: hangups,
	}
}

func hangups(ctx context.Context) <-chan struct{} {
	signals, out := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(signals, syscall.SIGHUP)
	go func() {
		defer signal.Stop(signals)
		for {
			select {
			case <-ctx.Done():
				return
			case <-signals:
			}
			select {
			case <-ctx.Done():
				return
			case out <- struct{}{}:
			}
		}
	}()
	return out
}

// Getenv returns the variable's value, or def where it is unset or empty.
func (e Env) Getenv(name, def string) string {
	if v, ok := e.Lookup(name); ok && v != "" {
		return v
	}
	return def
}
