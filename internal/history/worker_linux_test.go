//go:build !nonode

package history_test

import (
	"testing"

	"github.com/vitessdo/vitessdo/internal/workerd"
)

// TestLevelsOfWorker is TestLevelsApart, in small, on Durable Objects. These keep no
// old state of a shard: whoever has seen one that is gone begins anew, or locks.
func TestLevelsOfWorker(t *testing.T) {
	levelsApart(t, *txns/3, func(t *testing.T) server { return workerd.Start(t, nil) })
}

// TestReadersAndWritersOfWorker is TestReadersAndWritersApart likewise.
func TestReadersAndWritersOfWorker(t *testing.T) {
	readersAndWritersApart(t, *txns/3, func(t *testing.T) server { return workerd.Start(t, nil) })
}
