package check

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"strowger/system/token"
)

func TestTokens(t *testing.T) {
	b := newBench(t, alone(t), "")
	dir := b.o.Config.Tokens.Directory
	f := b.check()
	f.want(TokensDirectory, OK, dir, "0 token files")
	f.want(TokensOwners, OK)
	f.want(TokensNewest, OK, "no token file waits")

	_, path, err := token.Create(dir, token.Spec{Limit: time.Minute}, token.PHP)
	if err != nil {
		t.Fatal(err)
	}
	b.check().want(TokensNewest, OK, "is good")
	b.o.Machine.Now = func() time.Time { return time.Now().Add(time.Hour) }
	b.check().want(TokensNewest, Note, "expired")
	b.o.Machine.Now = time.Now
	if err := os.Chmod(path, 0o666); err != nil {
		t.Fatal(err)
	}
	b.check().want(TokensNewest, Warning, "lets others write", "umask 077")
	if err := os.WriteFile(path, []byte("<?php die();"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	b.check().want(TokensNewest, Warning, "malformed", "docs/tokens.md")
	if _, err := os.Stat(path); err != nil {
		t.Errorf("the token is gone: %v", err)
	}
}

func TestTokenDirectory(t *testing.T) {
	b := newBench(t, alone(t), "")
	dir := b.o.Config.Tokens.Directory
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	b.check().want(TokensDirectory, Error, "no sticky bit", "chmod +t "+dir)
	b.o.Config.Tokens.Directory = filepath.Join(dir, "none")
	b.check().want(TokensDirectory, Error, "no such file", "install -d -m 0700 -o ")
}

// TestTokenOwners is about a unit whose user may not delete what others write.
func TestTokenOwners(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can look as another user")
	}
	b := newBench(t, alone(t), conf)
	dir := b.o.Config.Tokens.Directory
	if err := os.Chmod(dir, os.ModeSticky|0o777); err != nil {
		t.Fatal(err)
	}
	_, path, err := token.Create(dir, token.Spec{}, token.JSON)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(path, 4321, 4321); err != nil {
		t.Fatal(err)
	}
	b.withSystemd("Id=websockets.service\nLoadState=loaded\nExecStart=strowger\nUser=4242\n\n")
	f := b.check()
	f.want(TokensNewest, Warning, "owner 4321 may not issue tokens", "tokens.owners: [4321]")
	f.want(TokensDirectory, OK, "user 4242 claims them (the unit websockets names that user)")
	b.o.Config.Tokens.Owners = []string{"4321"}
	f = b.check()
	f.want(TokensOwners, Warning, "4321", "may not delete their files")
	f.want(TokensNewest, Warning, "may not delete a file of user 4321", "User=4321")
	b.o.Config.Tokens.Owners = []string{"no-such-user"}
	b.check().want(TokensOwners, Error, "no-such-user")
}
