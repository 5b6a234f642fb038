package token_test

import (
	"errors"
	"fmt"
	"os"

	"strowger/system/token"
)

func ExampleStore_Claim() {
	dir, err := os.MkdirTemp("", "tokens")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	made, _, err := token.Create(dir, token.Spec{
		Services:    []string{"weather"},
		Permissions: []string{"weather_view"},
		DomainName:  "a.example.com",
		UserName:    "alice",
	}, token.JSON)
	if err != nil {
		fmt.Println(err)
		return
	}

	store, err := token.Open(token.Options{Dir: dir})
	if err != nil {
		fmt.Println(err)
		return
	}
	claimed, err := store.Claim(made.Name, made.Hash)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(claimed.Kind, claimed.UserName, claimed.Permissions)

	_, err = store.Claim(made.Name, made.Hash)
	fmt.Println(errors.Is(err, token.ErrNotFound))
	// Output:
	// user alice [weather_view]
	// true
}
