package token

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
)

// TestClaimIsExactlyOnce lets hundreds of goroutines on two stores go for the
// same token at once, many times over.
func TestClaimIsExactlyOnce(t *testing.T) {
	const claimants, rounds = 300, 30
	dir := t.TempDir()
	stores := []*Store{openStore(t, Options{Dir: dir}), openStore(t, Options{Dir: dir})}
	for round := range rounds {
		format := []Format{PHP, JSON}[round%2]
		token, path, err := Create(dir, Spec{Services: []string{"s"}, IssuedAt: issued}, format)
		if err != nil {
			t.Fatal(err)
		}
		var won atomic.Int32
		var ready, done sync.WaitGroup
		start := make(chan struct{})
		ready.Add(claimants)
		for i := range claimants {
			done.Go(func() {
				ready.Done()
				<-start
				switch _, err := stores[i%len(stores)].Claim(token.Name, token.Hash); {
				case err == nil:
					won.Add(1)
				case !errors.Is(err, ErrNotFound):
					t.Errorf("got %v, want the token or ErrNotFound", err)
				}
			})
		}
		ready.Wait()
		close(start)
		done.Wait()
		if won.Load() != 1 {
			t.Fatalf("round %d: %d got the token, want 1", round, won.Load())
		}
		if exists(t, path) {
			t.Fatalf("round %d: the file is still there", round)
		}
	}
}

// TestClaimManyTokensAtOnce lets every goroutine claim every token of a store.
func TestClaimManyTokensAtOnce(t *testing.T) {
	const claimants, tokens = 16, 100
	dir := t.TempDir()
	s := openStore(t, Options{Dir: dir})
	var made []*Token
	for range tokens {
		token, _, err := Create(dir, Spec{IssuedAt: issued}, PHP)
		if err != nil {
			t.Fatal(err)
		}
		made = append(made, token)
	}
	won := make([]atomic.Int32, tokens)
	var done sync.WaitGroup
	for range claimants {
		done.Go(func() {
			for i, token := range made {
				if _, err := s.Claim(token.Name, token.Hash); err == nil {
					won[i].Add(1)
				}
			}
		})
	}
	done.Wait()
	for i := range won {
		if won[i].Load() != 1 {
			t.Errorf("token %d: %d got it, want 1", i, won[i].Load())
		}
	}
}
