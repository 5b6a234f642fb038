package remote

import (
	"context"
	"fmt"

	"strowger/client"
)

// tokens counts the tokens it makes: "name1", "name2" and so on.
func tokens() client.TokenSource {
	n := 0
	return func(context.Context) (client.Token, error) {
		n++
		return client.Token{Name: fmt.Sprintf("name%d", n), Hash: fmt.Sprintf("hash%d", n)}, nil
	}
}
