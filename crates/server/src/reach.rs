//! What each group may reach, compiled, and given to the packet paths of its sessions.
//!
//! A change of the configuration, or of the addresses of this host, is given to every session at once. A session and a change
//! hold the same lock, so that no session keeps what is outdated.

pub(crate) mod report;
pub(crate) mod watch;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use adit_config::Config;
use adit_dataplane::Dataplane;
use adit_policy::reach::{Acl, Locals, Reach};
use adit_tunnel::path::PathCommand;
use adit_wire::LocalCallId;

use crate::registry::Registry;
use crate::session::Session;

/// Takes the rules of calls: the packet paths.
pub(crate) trait SetReach: Send + Sync {
    /// Uses these rules for a call from now on.
    fn set_reach(&self, call_id: LocalCallId, reach: Arc<Reach>);
}

impl SetReach for Dataplane {
    fn set_reach(&self, call_id: LocalCallId, reach: Arc<Reach>) {
        self.command(call_id, PathCommand::Reach(reach));
    }
}

/// The compiled rules of all groups.
#[derive(Debug)]
pub(crate) struct ReachTable(Mutex<State>);

#[derive(Debug)]
struct State {
    config: Arc<Config>,
    locals: Arc<Locals>,
    /// By group; those without rules of their own have `None`. Compiled when they are first needed.
    compiled: BTreeMap<Option<String>, Arc<Reach>>,
}

impl ReachTable {
    pub(crate) fn new(config: Arc<Config>, locals: Locals) -> ReachTable {
        ReachTable(Mutex::new(State { config, locals: Arc::new(locals), compiled: BTreeMap::new() }))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Gives a session the rules of a group, and from now on their changes.
    pub(crate) fn apply(&self, session: &Session, call_id: LocalCallId, path: &dyn SetReach) {
        let mut state = self.lock();
        let mut known = session.known();
        let group = known.group.clone();
        known.has_reach = true;
        let reach = state.of_group(group.as_deref());
        known.reach = Some(Arc::clone(&reach));
        drop(known);
        path.set_reach(call_id, reach);
    }

    /// Uses another configuration, for running sessions too.
    pub(crate) fn set_config(&self, config: Arc<Config>, registry: &Registry, path: &dyn SetReach) {
        let mut state = self.lock();
        state.config = config;
        let former = std::mem::take(&mut state.compiled);
        for (group, old) in former {
            let mut new = state.compile(group.as_deref());
            // Rules that stay the same keep their counters.
            if Acl::is_same(&new.acl, &old.acl) && new.keys == old.keys {
                new.acl = Arc::clone(&old.acl);
            }
            state.compiled.insert(group, Arc::new(new));
        }
        state.give_all(registry, path);
    }

    /// Uses other addresses of this host, for running sessions too.
    pub(crate) fn set_locals(&self, locals: Locals, registry: &Registry, path: &dyn SetReach) {
        let mut state = self.lock();
        if *state.locals == locals {
            return;
        }
        let locals = Arc::new(locals);
        state.locals = Arc::clone(&locals);
        for reach in state.compiled.values_mut() {
            *reach = Arc::new(Reach { locals: Arc::clone(&locals), ..Reach::clone(reach) });
        }
        state.give_all(registry, path);
    }
}

impl State {
    fn of_group(&mut self, group: Option<&str>) -> Arc<Reach> {
        // A group that is not defined has the rules of [access].
        let group = group.filter(|group| self.config.groups.contains_key(*group));
        let key = group.map(str::to_owned);
        if let Some(reach) = self.compiled.get(&key) {
            return Arc::clone(reach);
        }
        let reach = Arc::new(self.compile(group));
        self.compiled.insert(key, Arc::clone(&reach));
        reach
    }

    fn compile(&self, group: Option<&str>) -> Reach {
        self.config.reach(group, Arc::clone(&self.locals))
    }

    fn give_all(&mut self, registry: &Registry, path: &dyn SetReach) {
        for session in registry.all() {
            let mut known = session.known();
            let (true, Some((call_id, _))) = (known.has_reach, known.call_ids) else { continue };
            let group = known.group.clone();
            let reach = self.of_group(group.as_deref());
            known.reach = Some(Arc::clone(&reach));
            drop(known);
            path.set_reach(call_id, reach);
        }
    }
}

#[cfg(test)]
mod tests;
