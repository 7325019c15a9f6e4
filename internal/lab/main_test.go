//go:build !nolab

package lab

import (
	"context"
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// Arguments that make the test program something else: the store's child, or a
// process that has one.
const (
	storeArg  = "lab-store-child"
	parentArg = "lab-store-parent"
)

func TestMain(m *testing.M) {
	var err error
	switch {
	case len(os.Args) == 2 && os.Args[1] == storeArg:
		err = StoreMain(context.Background(), os.Stdin)
	case len(os.Args) == 3 && os.Args[1] == parentArg:
		err = storeParent(os.Args[2])
	default:
		goleak.VerifyTestMain(m)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// storeParent starts a store, says where it is, and stays until it is killed.
func storeParent(dir string) error {
	s, err := startStore(context.Background(), Options{Dir: dir, Self: os.Args[0], ChildArgs: []string{storeArg}})
	if err != nil {
		return err
	}
	fmt.Println(s.cfg.Address)
	<-s.exited
	return s.err
}
