package backend

import (
	"context"

	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/remote"
	"github.com/epicevents/crm/service"
)

// ErrForHost refuses what needs the database itself where a server has it.
var ErrForHost = failure.Misuse("This is for the host of the database.", "run it there, without server.url")

// IsRemote reports whether a server has the database.
func (b *Backend) IsRemote() bool { return b.settings.ServerURL != "" }

// Accounts returns what needs no session but to get one, wherever the database is.
func (b *Backend) Accounts(ctx context.Context) (service.Accounts, error) {
	if !b.IsRemote() {
		s, err := b.Service(ctx)
		if err != nil {
			return nil, err
		}
		return s.Accounts(), nil
	}
	client, err := b.Client() // a nil one would be an Accounts
	if err != nil {
		return nil, err
	}
	return client, nil
}

// Client returns the client of the server that has the database. Nothing is sent yet.
func (b *Backend) Client() (*remote.Client, error) {
	if b.client == nil {
		client, err := remote.Dial(b.settings.ServerURL, b.settings.ServerCAFile)
		if err != nil {
			return nil, err
		}
		b.client = client.Within(b.settings.DatabaseTimeout)
	}
	return b.client, nil
}

// remoteSession is Session where a server has the database.
func (b *Backend) remoteSession(ctx context.Context) (service.Operations, error) {
	s, err := b.Accounts(ctx)
	if err != nil {
		return nil, err
	}
	token, err := b.Token()
	if err != nil {
		return nil, err
	}
	b.session, err = s.As(token)
	return b.session, err
}
