//go:build !nonode

package difftest

import (
	"testing"

	"github.com/vitessdo/vitessdo/internal/workerd"
)

// TestSameAnswersOfWorker is TestSameAnswers, in small, on Durable Objects.
func TestSameAnswersOfWorker(t *testing.T) {
	tablets, start := Tablets, StartServer
	Tablets, StartServer = "ws", func() (Server, error) { return workerd.Run(nil) }
	defer func() { Tablets, StartServer = tablets, start }()
	sameAnswers(t, "sqlite", *stmtsFlag/50)
}
