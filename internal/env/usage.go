package env

import (
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Usage is what this process has used so far.
type Usage struct {
	CPU     time.Duration // user and system time
	RSS     int64         // bytes resident now; 0 where the system does not say
	PeakRSS int64         // bytes resident at the most
}

// ReadUsage asks the operating system (getrusage(2), /proc/self/statm).
func ReadUsage() Usage {
	var ru syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &ru); err != nil {
		return Usage{}
	}
	u := Usage{
		CPU:     time.Duration(ru.Utime.Nano() + ru.Stime.Nano()),
		PeakRSS: ru.Maxrss * 1024,
	}
	if data, err := os.ReadFile("/proc/self/statm"); err == nil {
		if f := strings.Fields(string(data)); len(f) > 1 {
			if pages, err := strconv.ParseInt(f[1], 10, 64); err == nil {
				u.RSS = pages * int64(os.Getpagesize())
			}
		}
	}
	return u
}

// Memory is how much memory the machine has, in bytes; 0 where the system does
// not say (/proc/meminfo).
func Memory() int64 {
	data, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(data)) {
		if rest, ok := strings.CutPrefix(line, "MemTotal:"); ok {
			kb, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			if err != nil {
				return 0
			}
			return kb * 1024
		}
	}
	return 0
}
