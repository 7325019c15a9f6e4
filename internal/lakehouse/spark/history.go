package spark

import (
	"context"
	"net/url"
	"strconv"
	"time"
)

// Ended gives the applications that wrote their end since a moment to visit,
// until it returns false. The UI is a History Server; its lists are those that
// the driver had. An application whose driver was killed never appears: it is
// incomplete for ever.
func (u *UI) Ended(ctx context.Context, since time.Time, limit int, visit func(Application) bool) error {
	return each(ctx, u, "/api/v1/applications?status=completed&limit="+strconv.Itoa(limit)+
		"&minEndDate="+url.QueryEscape(since.UTC().Format(restTime)+"GMT"), visit)
}
