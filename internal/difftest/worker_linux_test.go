//go:build !nonode

package difftest

import (
	"testing"

	"github.com/vitessdo/vitessdo/internal/workerd"
)

// TestSameAnswersOfWorker is TestSameAnswers, in small, on Durable Objects.
func TestSameAnswersOfWorker(t *testing.T) {
	tablets, start := Tablets, StartServer
	Tablets, StartServer = "ws", func() (Server, error) { return workerd.Run(workerd.Vars{"TRANSACTION_TIME": "25000"}) }
	defer func() { Tablets, StartServer = tablets, start }()
	Expires = true // a transaction goes on here while other databases run its statements, too
	defer func() { Expires = false }()
	defer func(n int) { *roundFlag = n }(*roundFlag)
	*roundFlag = min(*roundFlag, 100)
	sameAnswers(t, "sqlite", *stmtsFlag/50)
}
