package twopc

import (
	"context"

	"github.com/vitessdo/vitessdo/tablet"
	"github.com/vitessdo/vitessdo/twopc/protocol"
)

// Recover brings a transaction to its end that a log has decided before a crash.
// Its participants are as their shards have loaded them, whether they lack the
// writes or not; nil stands for one that there is nothing to be done for. When one
// fails, again is asked whether to try once more; those that have committed are
// left alone. What Recover hasn't done, the log keeps.
func Recover(ctx context.Context, dtid string, parts []tablet.Tx, log Log, again func(error) bool) error {
	r := recovery{dtid: dtid, parts: parts, log: log}
	r.step(protocol.Msg{Kind: protocol.Load, Part: len(parts)})
	for {
		err := r.tell(ctx)
		if err == nil || !again(err) {
			return err
		}
	}
}

// recovery drives the keeper of a log's decision.
type recovery struct {
	dtid   string
	parts  []tablet.Tx
	log    Log
	keeper protocol.Keeper
}

// tell has the participants commit that haven't yet, one after the other.
func (r *recovery) tell(ctx context.Context) error {
	for _, m := range r.step(protocol.Msg{Kind: protocol.Timeout}) {
		if x := r.parts[m.Part]; x != nil {
			Reach(Replaying, m.Part)
			if err := x.CommitPrepared(ctx); err != nil {
				return err
			}
			Reach(Replayed, m.Part)
		}
		r.step(protocol.Msg{Kind: protocol.Committed, Part: m.Part})
	}
	return nil
}

// step gives the keeper an event, and whom to tell what.
func (r *recovery) step(in protocol.Msg) (tell []protocol.Msg) {
	for _, m := range r.keeper.Step(r.dtid, in, nil) {
		if m.Kind == protocol.DropDecision {
			r.log.Done(r.dtid)
			continue
		}
		tell = append(tell, m)
	}
	return tell
}
