//go:build e2e

package kafka_test

import (
	"context"
	"testing"
	"time"

	"github.com/lakeproof/lakeproof/exporters/kafka"
)

// The dashboards and alerts that people have, against the page of a real
// cluster.
func TestBoardsOnThreeBrokers(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	st := newStage(ctx, t)
	st.topic(ctx, t, "orders", rotated(6))
	kafka.CheckBoards(t, kafka.Options{Cluster: "lab", Kafka: st.Config().Kafka}, func(n int64) {
		st.produce(ctx, t, "orders", 6, 10)
		st.commit(ctx, t, "billing", "orders", n, n, n, n, n, n)
	}, t.Fatal)
}
