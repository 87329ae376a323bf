// Package tpcc is the order-entry benchmark TPC-C for vitessdo: a [Config] goes
// in; [Config.Load] makes its tables, sharded by warehouse, and fills them;
// [Config.Run] lets several terminals do the benchmark's five transactions at
// once, which cross shards when an order is supplied, or a payment made, by
// another warehouse; [Config.Check] then looks for violations of the
// specification's consistency conditions.
//
// The transactions, their mix and the conditions are the specification's, as far
// as they are about data: there are no screens, no think times, and the tables
// are as small as the Config says. Lost or half-done writes show as violations:
// every amount of money and every count is kept in two places.
package tpcc
