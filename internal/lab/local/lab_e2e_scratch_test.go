package local

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"
)

func TestScratchUp(t *testing.T) {
	s, err := New(Options{Dir: os.Getenv("SCRATCH"), Install: os.Getenv("SCRATCH_INSTALL"), FreePorts: os.Getenv("FREE") != "", Progress: func(e Event) {
		fmt.Printf("%s %s %s done=%v %.1fs %v\n", time.Now().Format("15:04:05"), e.Component, e.Step, e.Done, e.Elapsed.Seconds(), e.Err)
	}})
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	switch os.Getenv("DO") {
	case "install":
		err = s.Install(ctx)
	case "up":
		err = s.Up(ctx)
	case "down":
		err = s.Down(ctx)
	case "kill":
		err = s.Kill(os.Getenv("NAME"))
	case "stop":
		err = s.Stop(ctx, os.Getenv("NAME"))
	case "sql":
		var r [][]string
		r, err = s.SQL(ctx, os.Getenv("Q"))
		fmt.Println(r)
	case "start":
		err = s.Start(ctx, os.Getenv("NAME"))
	}
	fmt.Println(err)
	for _, c := range s.Status(ctx) {
		fmt.Printf("%+v\n", c)
	}
}
