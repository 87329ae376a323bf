// Package vitessdogorm lets GORM use vitessdo:
//
//	db, err := gorm.Open(vitessdogorm.Open("file:./data?shards=4"), &gorm.Config{TranslateError: true})
//
// It is GORM's MySQL dialector, which works with vitessdo as it stands
// (mysql.Config{DriverName: "vitessdo", DSN: dsn}), and what that can't know:
//
//   - TranslateError gives [gorm.ErrDuplicatedKey], [gorm.ErrForeignKeyViolated] and
//     [gorm.ErrCheckConstraintViolated]. The driver's error stays beneath, so that
//     errors.As finds a [*vitessdo.Error] with shard, table and columns.
//   - A model says by struct tags how its table is sharded, and AutoMigrate applies it.
//   - [ByPrimaryKey] gives rows in their primary key's order where a query says none, as
//     MySQL mostly does.
//   - [Transaction] is GORM's, run again when two transactions would have waited for
//     each other.
//
// # Struct tags
//
// A tag of a field is about the field's column:
//
//	type Order struct {
//		TenantID uint   `gorm:"primaryKey;autoIncrement:false" vitessdo:"vindex:hash"`
//		ID       uint   `gorm:"primaryKey"`
//		Customer string `gorm:"size:50" vitessdo:"vindex:consistent_lookup"`
//	}
//
//	vindex             hash, the default vindex
//	vindex:TYPE p=v    any vindex, with its parameters; fields with one functional
//	                   vindex's type make one vindex of several columns, in their order
//	vindex:lookup      a lookup vindex (lookup, lookup_unique, consistent_lookup,
//	                   consistent_lookup_unique). Its entries are kept in a table
//	                   that AutoMigrate makes: TABLE_COLUMN_lookup, or table=NAME
//	sequence:NAME      the AUTO_INCREMENT column takes its values from this sequence,
//	                   which tables may share
//
// A tag of a blank field is about the table:
//
//	type Currency struct {
//		_    struct{} `vitessdo:"reference"`
//		Code string   `gorm:"primaryKey;size:3"`
//	}
//
//	reference                 a copy on every shard
//	reference source=KS.TABLE the same, of a table of another keyspace
//	unsharded                 on the first shard
//	pinned:HEX                on the shard of this keyspace ID
//	unique:shard              unique keys without the sharding columns are left to each shard
//
// Several settings of one tag are separated by semicolons. A model without tags is
// sharded as the VSchema says, or in auto mode by its primary key. The tags of a table that exists must say what its VSchema says:
// lookup vindexes that are missing are added and filled, anything else is an error, as
// rows would have to move. Tags are checked before AutoMigrate changes anything.
//
// # Concurrency
//
// A dialector belongs to one [gorm.Open]. All else is as safe as GORM's.
package vitessdogorm
