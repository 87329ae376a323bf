package advise

import "github.com/vitessdo/vitessdo/route"

// Class says in a few words where a statement goes.
type Class string

// The classes, from the cheapest to the dearest.
const (
	OneShard   Class = "one shard"
	Lookup     Class = "lookup"
	SomeShards Class = "some shards"
	AllShards  Class = "all shards"
	Gathered   Class = "all shards, gathered"
	Refused    Class = "refused"
)

// Scatters says whether the statement asks all shards.
func (c Class) Scatters() bool { return c == AllShards || c == Gathered || c == Refused }

// The weights of what a plan does, in requests to a shard.
const (
	gatherWeight = 2   // of a request whose rows the gate must join or run SQL over
	effectWeight = 1.5 // an entry elsewhere that is kept beside the rows, and its commit
	twoPhase     = 1.5 // of a write that goes to several shards
	refusedCost  = 20  // per shard: the statement can't run
)

// weigh tells what a plan costs, in requests to shards, and its class.
func weigh(p *route.Plan, shards int) (cost float64, class Class) {
	class = OneShard
	raise := func(c Class) {
		if rank[c] > rank[class] {
			class = c
		}
	}
	gathers := p.Combine.Kind == route.Query || p.Combine.Kind == route.Joined
	fragments := 0
	p.Asks(func(f *route.Fragment) { fragments++ })
	p.Asks(func(f *route.Fragment) {
		if f.Catalog != nil {
			return
		}
		n := reach(&f.Dest, shards)
		if f.Dest.Lookup {
			raise(Lookup)
			cost++ // the lookup itself
		}
		switch {
		case n == shards && shards > 1 && gathers && fragments > 1:
			raise(Gathered)
			cost += gatherWeight * float64(n)
			return
		case n == shards && shards > 1:
			raise(AllShards)
		case n > 1:
			raise(SomeShards)
		}
		cost += float64(n)
	})
	if p.Write == nil {
		return cost, class
	}
	effects := func(e *route.Effects) {
		if e != nil {
			cost += effectWeight * float64(len(e.List))
			if len(e.List) > 0 {
				raise(SomeShards)
			}
		}
	}
	switch p.Write.Kind {
	case route.WriteRows:
		ins := p.Write.Insert
		n := 1
		if ins.Dest == nil {
			n = reach(&ins.Fixed, shards)
		}
		if n > 1 {
			raise(AllShards)
			cost += twoPhase * float64(n)
		} else {
			cost++
		}
		effects(ins.Effects)
	case route.WriteByKey:
		for i := range p.Write.ByKey {
			cost += max(1, cost/2) // the rows that are found lie where they were looked for
			effects(p.Write.ByKey[i].Effects)
		}
	case route.WriteWhole:
		if class.Scatters() {
			cost *= twoPhase
		}
	}
	return cost, class
}

var rank = map[Class]int{OneShard: 0, Lookup: 1, SomeShards: 2, AllShards: 3, Gathered: 4, Refused: 5}

// reach is how many shards a destination means, whatever the values are.
func reach(d *route.Destination, shards int) int {
	switch d.Kind {
	case route.DestFirst, route.DestShard, route.DestEqual, route.DestKeyspaceID:
		return 1
	case route.DestIn:
		if d.Lookup {
			return 1 // the keys that a value was found with are few
		}
		return max(1, min(len(d.Rows), shards))
	case route.DestList:
		if d.Lookup {
			return 1
		}
	}
	return shards
}
