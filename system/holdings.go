package system

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"strowger/actors"
)

// holdingsFile is what a router that stops leaves to the next one: the tokens that holders may come back with.
// It holds no name and no hash of a token.
type holdingsFile struct {
	Version  int          `json:"version"`
	Grants   [][]string   `json:"grants"` // lists of permissions, of which many holders have the same
	Holdings []holdingRow `json:"holdings"`
}

// holdingRow is one token.
type holdingRow struct {
	Key        string    `json:"key"`
	Address    string    `json:"address"`
	Until      time.Time `json:"until"`
	ExpiresAt  time.Time `json:"expires_at,omitzero"`
	ClaimBy    time.Time `json:"claim_by,omitzero"`
	Services   []string  `json:"services,omitempty"`
	Grant      int       `json:"grant"` // index in Grants
	DomainName string    `json:"domain_name,omitempty"`
	DomainUUID string    `json:"domain_uuid,omitempty"`
	UserUUID   string    `json:"user_uuid,omitempty"`
	UserName   string    `json:"user_name,omitempty"`
	Extensions []string  `json:"extensions,omitempty"`
}

const (
	holdingsVersion = 1
	holdingsBytes   = 256 << 20 // of the largest file that is read
)

// holdingsPath returns where the file is; empty where it has no place, because nobody finds a router again that
// listens on any free port.
func (s *System) holdingsPath() string {
	if path := s.cfg.Tokens.ReclaimFile; path != "" {
		return path
	}
	_, port, err := net.SplitHostPort(s.cfg.Listen.Address)
	if err != nil || port == "0" {
		return ""
	}
	return filepath.Join(s.tokens.store.Dir(), ".strowger-reclaim-"+port)
}

// hold starts what lets holders come back, with those whom the last router knew.
func (s *System) hold() {
	var before []*actors.Holding
	reclaim := s.running.Load().Tokens.Reclaim
	if path := s.holdingsPath(); path != "" && s.heir == nil {
		kept, err := takeHoldings(path)
		switch {
		case err != nil:
			s.log.Warn("tokens of before the restart cannot be used, those who come back with them are refused", "file", path, "err", err)
		case reclaim > 0:
			before = young(kept, time.Now(), reclaim)
		}
		if len(before) > 0 {
			s.log.Info("tokens of before the restart can be claimed again", "tokens", len(before), "file", path)
		}
	}
	s.deps.Hold(before)
}

// young returns the holdings that may still be claimed, in the order in which they are forgotten.
func young(kept []*actors.Holding, now time.Time, reclaim time.Duration) []*actors.Holding {
	list := make([]*actors.Holding, 0, len(kept))
	for _, h := range kept {
		if latest := now.Add(reclaim); h.Until.After(latest) {
			h.Until = latest
		}
		if now.Before(h.Until) {
			list = append(list, h)
		}
	}
	return list
}

// leave ends what lets holders come back, and writes down for the next router who may.
func (s *System) leave() {
	kept := s.deps.Holdings(time.Second)
	path := s.holdingsPath()
	if path == "" || len(kept) == 0 || s.upgrades.handed.Load() {
		return
	}
	if err := writeHoldings(path, kept); err != nil {
		s.log.Error("tokens are not kept over the restart, those who come back are refused", "file", path, "setting", "tokens.reclaim_file", "err", err)
		return
	}
	s.log.Info("tokens kept for those who come back after the restart", "tokens", len(kept), "file", path)
}

// writeHoldings writes the file under another name and renames it, so that nobody sees a part of it.
func writeHoldings(path string, kept []*actors.Holding) error {
	// CreateTemp makes a file that only this user may read.
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new")
	if err != nil {
		return err
	}
	err = json.NewEncoder(f).Encode(holdingsOf(kept))
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

func holdingsOf(kept []*actors.Holding) *holdingsFile {
	file := &holdingsFile{Version: holdingsVersion}
	grants := make(map[string]int)
	for _, h := range kept {
		c := h.Credentials
		names := strings.Join(c.Permissions, "\x00")
		grant, known := grants[names]
		if !known {
			grant = len(file.Grants)
			grants[names] = grant
			file.Grants = append(file.Grants, c.Permissions)
		}
		file.Holdings = append(file.Holdings, holdingRow{
			Key: hex.EncodeToString(h.Key[:]), Address: h.Address, Until: h.Until, ExpiresAt: c.ExpiresAt, ClaimBy: c.ClaimBy,
			Services: c.Services, Grant: grant, DomainName: c.DomainName, DomainUUID: c.DomainUUID,
			UserUUID: c.UserUUID, UserName: c.UserName, Extensions: c.Extensions,
		})
	}
	return file
}

// takeHoldings reads the file and deletes it, so that what is in it can be used once. No file is no error.
func takeHoldings(path string) ([]*actors.Holding, error) {
	f, err := openPrivate(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, holdingsBytes+1))
	_ = f.Close() // Windows deletes no file that is open
	if err := os.Remove(path); err != nil {
		return nil, err
	}
	if err != nil {
		return nil, err
	}
	if len(data) > holdingsBytes {
		return nil, fmt.Errorf("the file is larger than %d bytes", holdingsBytes)
	}
	return readHoldings(data)
}

// readHoldings returns what stands in a file.
func readHoldings(data []byte) ([]*actors.Holding, error) {
	var file holdingsFile
	if err := json.Unmarshal(data, &file); err != nil {
		return nil, err
	}
	return file.holdings()
}

func (file *holdingsFile) holdings() ([]*actors.Holding, error) {
	if file.Version != holdingsVersion {
		return nil, fmt.Errorf("it has version %d, want %d", file.Version, holdingsVersion)
	}
	kept := make([]*actors.Holding, 0, len(file.Holdings))
	for i, row := range file.Holdings {
		h := &actors.Holding{Address: row.Address, Until: row.Until, Credentials: &actors.Credentials{
			Role: actors.Client, Services: row.Services, DomainName: row.DomainName, DomainUUID: row.DomainUUID,
			UserUUID: row.UserUUID, UserName: row.UserName, Extensions: row.Extensions,
			ExpiresAt: row.ExpiresAt, ClaimBy: row.ClaimBy,
		}}
		key, err := hex.DecodeString(row.Key)
		if err != nil || len(key) != len(h.Key) || row.Grant < 0 || row.Grant >= len(file.Grants) {
			return nil, fmt.Errorf("token %d of it is damaged", i+1)
		}
		h.Key = actors.TokenKey(key)
		h.Credentials.Permissions = file.Grants[row.Grant]
		kept = append(kept, h)
	}
	return kept, nil
}
