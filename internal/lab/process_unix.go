//go:build unix && !nolab

package lab

import (
	"os/exec"
	"syscall"
)

// ownGroup keeps the terminal's interrupt from the child: the parent finishes
// its run first and then closes the pipe.
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
