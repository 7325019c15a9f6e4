package kafka

import (
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"
)

// VersionOf guesses a broker's version from what it offers, for example "v4.1".
func VersionOf(resp *kmsg.ApiVersionsResponse) string {
	return kversion.FromApiVersionsResponse(resp).VersionGuess(kversion.SkipKeys(optional()...))
}
