package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/vitessdo/vitessdo/internal/present"
	"github.com/vitessdo/vitessdo/reshard"
	"github.com/vitessdo/vitessdo/vschema"
)

// reshardCommand spreads a directory over other shards.
func reshardCommand(c *console) *cobra.Command {
	var o reshard.Options
	var vindexes []string
	cmd := &cobra.Command{
		Use:   "reshard DIR",
		Short: "Spread a directory's rows over other shards",
		Long: `Spread the rows of a data directory over another number of shards, or other key
ranges.

Nobody may have the directory open meanwhile. All rows are copied into new databases
beside the old ones, compared, and then the new ones take their place at once: until
that moment the directory is as it was, whatever happens. A run that was interrupted,
or killed, goes on when it is started again. The old databases are put aside into a
folder, which is a directory that can be opened as it was.

The ranges of a range vindex stay with the shards of their numbers; --vindex gives them
to others, or cuts them elsewhere.`,
		Example: `  vitessdo reshard ./data --shards 8
  vitessdo reshard ./data --ranges=-20,20-80,80- --keyspace crm
  vitessdo reshard ./data --shards 2 --vindex 'by_day shards=0,0,1,1'
  vitessdo reshard ./data --shards 8 --discard`,
		Args: arguments(1, 1),
		RunE: func(_ *cobra.Command, args []string) (err error) {
			if o.Dir, err = directory(args[0]); err != nil {
				return err
			}
			if o.Vindexes, err = vindexParams(vindexes); err != nil {
				return err
			}
			ctx, stop := c.interruptible()
			defer func() {
				if stop() && err != nil {
					err = errors.New("interrupted: the directory is as it was, and the same command goes on from here")
				}
			}()
			return c.reshard(ctx, o)
		},
	}
	f := cmd.Flags()
	f.IntVar(&o.Shards, "shards", 0, "the number of shards, of equal size")
	f.StringSliceVar(&o.Ranges, "ranges", nil, "the shards' key ranges instead, such as -20,20-80,80-")
	f.StringSliceVar(&o.Keyspaces, "keyspace", nil, "the keyspaces that are resharded, instead of all that are sharded")
	f.StringVar(&o.UniqueKeys, "unique-keys", "", "from one shard to several, keep unique keys without the sharding columns global (the default) or by shard")
	f.StringArrayVar(&vindexes, "vindex", nil, "new parameters of a range vindex, such as 'NAME shards=0,0,1': the shard of each range; also boundaries")
	f.BoolVar(&o.Discard, "discard", false, "remove the old databases in the end, instead of putting them aside")
	f.BoolVar(&o.Restart, "restart", false, "begin anew, instead of going on with an interrupted run")
	return cmd
}

// vindexParams reads what --vindex says, in the words of a table's comment.
func vindexParams(list []string) (map[string]map[string]string, error) {
	out := map[string]map[string]string{}
	for _, text := range list {
		name, rest, _ := strings.Cut(strings.TrimSpace(text), " ")
		params, err := vschema.ParseParams(rest)
		if err == nil && (params == nil || out[name] != nil) {
			err = errors.New("it names a vindex, once, and its new parameters, such as 'by_day shards=0,0,1'")
		}
		if err != nil {
			return nil, fmt.Errorf("--vindex %q: %w", text, err)
		}
		out[name] = params
	}
	return out, nil
}

func (c *console) reshard(ctx context.Context, o reshard.Options) error {
	var bar *progress
	step := ""
	o.Progress = func(p reshard.Progress) {
		if p.Total == 0 {
			return
		}
		if p.Step != step {
			if bar != nil {
				bar.end()
			}
			step = p.Step
			bar = newProgress(c, map[string]string{"copy": "rows copied", "verify": "rows compared"}[step], p.Total)
		}
		bar.at(min(p.Rows, p.Total))
	}
	res, err := reshard.Run(ctx, o)
	if bar != nil {
		bar.end()
	}
	if err != nil {
		return err
	}
	if res.Already {
		fmt.Fprintln(c.out, "the directory has these shards already")
	}
	for _, k := range res.Keyspaces {
		fmt.Fprintf(c.out, "keyspace %s: %s → %s\n", k.Name, shardList(k.From), shardList(k.To))
		g := &present.Grid{Head: []string{"table", "rows", "checksum"}}
		for _, t := range k.Tables {
			g.Add(t.Name, t.Rows, t.Sum)
		}
		if len(g.Rows) > 0 {
			_ = present.Output{W: c.out, Indent: "  "}.Grid(g)
		}
		if k.Strays > 0 {
			fmt.Fprintf(c.out, "  %s rows weren't on the shard that they belong to, and are now\n", present.Thousands(k.Strays))
		}
	}
	if res.Aside != "" {
		fmt.Fprintf(c.out, "the old databases are in %s, which can be opened, or removed when it isn't needed\n", res.Aside)
	}
	if !res.Already {
		fmt.Fprintf(c.out, "done in %v\n", res.Elapsed.Round(time.Millisecond))
	}
	return nil
}

func shardList(names []string) string {
	const most = 8
	if len(names) == 1 {
		return "1 shard (" + names[0] + ")"
	}
	list := strings.Join(names[:min(most, len(names))], ", ")
	if len(names) > most {
		list += ", …"
	}
	return fmt.Sprintf("%d shards (%s)", len(names), list)
}
