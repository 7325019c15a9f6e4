//go:build !exporter

package cli

import (
	"strings"

	"github.com/alecthomas/kong"
)

// workload are the commands that make records and follow them.
type workload struct {
	Demo     demoCmd     `cmd:"" help:"Prove the embedded lab: everything in one process, verdict within a minute."`
	Loadtest loadtestCmd `cmd:"" help:"Send records through the lab and follow each of them to the table."`
	Lab      labCmd      `cmd:"" help:"The real systems as processes on this machine."`
	Generate generateCmd `cmd:"" help:"Only make records."`
	Store    storeCmd    `cmd:"" hidden:"" help:"Serve the embedded lab's store; started by the lab itself."`
}

// workloadVars are what the help of these commands names.
func workloadVars() kong.Vars { return kong.Vars{"streams": strings.Join(streamNames(), ", ")} }
