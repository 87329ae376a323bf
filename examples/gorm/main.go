// Command gorm is a shop for many tenants on GORM: every tenant's rows are together
// on one of four shards, currencies are on all of them.
//
//	go run .
//
// It makes its database in a temporary directory. Give it a data source name to keep
// one: go run . 'file:./data?shards=4'.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"strings"

	vitessdogorm "github.com/vitessdo/vitessdo/gorm"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/logger"
)

// Tenant is sharded by its ID. Its slug leads to it, too, and is unique over all shards.
type Tenant struct {
	ID     uint   `vitessdo:"vindex:hash"`
	Slug   string `gorm:"size:30;uniqueIndex"`
	Orders []Order
}

// Order lives with its tenant. Its own ID comes from one sequence for all shards.
type Order struct {
	TenantID uint   `gorm:"primaryKey;autoIncrement:false" vitessdo:"vindex:hash"`
	ID       uint   `gorm:"primaryKey;autoIncrement;index"`
	Currency string `gorm:"size:3"`
	Status   string `gorm:"size:10;default:open"`
	Lines    []Line `gorm:"foreignKey:TenantID,OrderID"`
}

// Line lives with its order.
type Line struct {
	TenantID uint `gorm:"primaryKey;autoIncrement:false" vitessdo:"vindex:hash"`
	OrderID  uint `gorm:"primaryKey;autoIncrement:false"`
	No       int  `gorm:"primaryKey;autoIncrement:false"`
	Product  string
	Cents    int `gorm:"check:cents_positive,cents > 0"`
}

// Currency is copied to every shard, so that joins with it stay there.
type Currency struct {
	_    struct{} `vitessdo:"reference"`
	Code string   `gorm:"primaryKey;size:3"`
	Sign string   `gorm:"size:5"`
}

func main() {
	if err := inTemp(strings.Join(os.Args[1:], "")); err != nil {
		log.Fatal(err)
	}
}

// inTemp runs the program on a data source name, or in a directory that goes with it.
func inTemp(dsn string) error {
	if dsn == "" {
		dir, err := os.MkdirTemp("", "shop")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		dsn = "file:" + dir + "?shards=4"
	}
	return run(os.Stdout, dsn)
}

func run(out io.Writer, dsn string) error {
	db, err := gorm.Open(vitessdogorm.Open(dsn), &gorm.Config{TranslateError: true})
	if err != nil {
		return err
	}
	pool, err := db.DB()
	if err != nil {
		return err
	}
	defer pool.Close()
	for _, step := range []func(io.Writer, *gorm.DB) error{migrate, fill, read, plans, pay} {
		if err := step(out, db); err != nil {
			return err
		}
	}
	return nil
}

// migrate makes and shards the tables, as the models' tags say.
func migrate(_ io.Writer, db *gorm.DB) error {
	return db.AutoMigrate(&Currency{}, &Tenant{}, &Order{}, &Line{})
}

// fill writes eight tenants with three orders each: one statement per table, split
// over the shards, all or nothing.
func fill(out io.Writer, db *gorm.DB) error {
	if err := db.Clauses(clause.OnConflict{DoNothing: true}).Create(&[]Currency{{Code: "EUR", Sign: "€"}, {Code: "USD", Sign: "$"}}).Error; err != nil {
		return err
	}
	tenants := make([]Tenant, 8)
	for i := range tenants {
		tenants[i].Slug = fmt.Sprintf("shop-%d", i+1)
		for k := range 3 {
			lines := []Line{{No: 1, Product: "tea", Cents: 250 + i}, {No: 2, Product: "cake", Cents: 410 * (k + 1)}}
			tenants[i].Orders = append(tenants[i].Orders, Order{Currency: []string{"EUR", "USD"}[k%2], Lines: lines})
		}
	}
	if err := db.Create(&tenants).Error; err != nil {
		return err
	}
	quiet := db.Session(&gorm.Session{Logger: logger.Discard})
	err := quiet.Create(&Tenant{Slug: "shop-1"}).Error
	fmt.Fprintln(out, "a slug twice:", errors.Is(err, gorm.ErrDuplicatedKey))
	return nil
}

// read finds a tenant by its slug with all that belongs to it, and sums over all.
func read(out io.Writer, db *gorm.DB) error {
	var t Tenant
	if err := db.Preload("Orders.Lines").First(&t, "slug = ?", "shop-3").Error; err != nil {
		return err
	}
	fmt.Fprintf(out, "%s: %d orders, the first has %d lines\n", t.Slug, len(t.Orders), len(t.Orders[0].Lines))
	var sums []struct {
		Sign  string
		Cents int
	}
	err := db.Model(&Order{}).Select("sign, SUM(cents) AS cents").Joins("JOIN currencies ON code = currency").
		Joins("JOIN `lines` ON `lines`.tenant_id = orders.tenant_id AND order_id = orders.id").Group("sign").Order("sign").Scan(&sums).Error
	for _, s := range sums {
		fmt.Fprintf(out, "in all: %s %d.%02d\n", s.Sign, s.Cents/100, s.Cents%100)
	}
	return err
}

// plans shows on which shards statements are run.
func plans(out io.Writer, db *gorm.DB) error {
	for _, q := range []string{
		"SELECT * FROM orders JOIN currencies ON code = currency WHERE tenant_id = 3",
		"SELECT * FROM tenants WHERE slug = 'shop-3'",
		"SELECT status, COUNT(*) FROM orders GROUP BY status",
	} {
		var plan struct{ PlanType, Shards string }
		if err := db.Raw("EXPLAIN FORMAT='vitess' " + q).Scan(&plan).Error; err != nil {
			return err
		}
		fmt.Fprintf(out, "%-17s %d shard(s)  %s\n", plan.PlanType, len(strings.Split(plan.Shards, ",")), q)
	}
	return nil
}

// pay changes orders of two tenants in one transaction, over two shards, which is run
// again when another one is in its way.
func pay(out io.Writer, db *gorm.DB) error {
	err := vitessdogorm.Transaction(context.Background(), db, nil, func(tx *gorm.DB) error {
		for _, tenant := range []uint{2, 5} {
			if err := tx.Model(&Order{}).Where("tenant_id = ? AND currency = ?", tenant, "EUR").Update("status", "paid").Error; err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	var paid int64
	err = db.Model(&Order{}).Where("status = ?", "paid").Count(&paid).Error
	fmt.Fprintln(out, "paid:", paid)
	return err
}
