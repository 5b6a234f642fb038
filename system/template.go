package system

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"strowger/system/internal/console"
	"strowger/system/service"
)

// Template makes a service that an operator adds over the admin port, by the name and the arguments that he gives. Both are
// input from outside, so a Template refuses with an error what it does not know. It must not block. The service must have
// that name. Its After may name only services that are given to New and others from templates: the process that takes over
// in an upgrade does not have what was added with Add, and so would not take over.
type Template func(name string, args map[string]string) (*service.Service, error)

// recipe is the template from which a service was made.
type recipe struct {
	Name, Template string
	Args           map[string]string
}

// make makes the service.
func (s *System) make(o *recipe) (svc *service.Service, err error) {
	template := s.templates[o.Template]
	if template == nil {
		return nil, fmt.Errorf("there is no template %q: %s", o.Template, s.templateNames())
	}
	defer func() {
		if reason := recover(); reason != nil {
			svc, err = nil, fmt.Errorf("template %q panics: %v", o.Template, reason)
		}
	}()
	svc, err = template(o.Name, maps.Clone(o.Args))
	switch {
	case err != nil:
		return nil, fmt.Errorf("template %q: %w", o.Template, err)
	case svc == nil || svc.Name != o.Name:
		return nil, fmt.Errorf("template %q makes a service of another name", o.Template)
	}
	return svc, nil
}

func (s *System) templateNames() string {
	if len(s.templates) == 0 {
		return "this program has none (system.Options.Templates)"
	}
	return "there is " + strings.Join(slices.Sorted(maps.Keys(s.templates)), ", ")
}

// inheritServices returns the services that were made from templates in the process from which this one takes over. It
// leaves out those that are in r, because the program has them from the start now.
func (s *System) inheritServices(r *roster) (homes []*home, err error) {
	var problems []error
	for _, o := range s.heir.added() {
		if r.named[o.Name] != nil {
			continue
		}
		svc, err := s.make(&o)
		var h *home
		if err == nil {
			h, err = s.newHome(svc)
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("service %q, which the old process has: %w", o.Name, err))
			continue
		}
		h.added, h.recipe = true, &o
		homes = append(homes, h)
	}
	return homes, errors.Join(problems...)
}

// templated returns what a new process needs to make the services that were made from templates.
func (s *services) templated() (all []recipe) {
	for _, h := range s.all() {
		if h.recipe != nil {
			all = append(all, *h.recipe)
		}
	}
	return all
}

// Add is for console.Source.
func (s shown) Add(ctx context.Context, name, template string, args map[string]string) error {
	o := &recipe{name, template, args}
	svc, err := s.make(o)
	if err != nil {
		return service.Errorf(400, "%s", err)
	}
	if err := s.add(ctx, svc, o); err != nil {
		return fmt.Errorf("%s: %w: %w", name, console.ErrNotNow, err)
	}
	return nil
}

// Remove is for console.Source. It removes what was added.
func (s shown) Remove(ctx context.Context, name string) error {
	h := s.services.get(name)
	switch {
	case h == nil:
		return fmt.Errorf("%s: %w", name, console.ErrUnknown)
	case !h.added:
		return fmt.Errorf("%s: %w: it was not added while the router ran, so it can be stopped but not removed", name, console.ErrNotNow)
	}
	if err := s.remove(ctx, name); err != nil {
		return fmt.Errorf("%s: %w: %w", name, console.ErrNotNow, err)
	}
	return nil
}
