//! What every store must do, whatever it is made of. A back end runs it with `suite!(function that opens one)`.

mod accounts;
mod events;
mod factors;
mod lease_model;
mod leases;
mod lockout;
mod servers;
mod sessions;

use std::sync::LazyLock;

use adit_store::{NewSession, ServerId, ServerIdentity, SessionId, Store};
use jiff::{SignedDuration, Timestamp};

pub(crate) use accounts::*;
pub(crate) use events::*;
pub(crate) use factors::*;
pub(crate) use lease_model::*;
pub(crate) use leases::*;
pub(crate) use lockout::*;
pub(crate) use servers::*;
pub(crate) use sessions::*;

/// 2026-11-22T18:00:00Z and so many seconds.
pub(crate) fn at(seconds: i64) -> Timestamp {
    "2026-11-22T18:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_secs(seconds)
}

/// The server that sessions are started on, where a test has one only.
pub(crate) fn server(store: &Store) -> ServerId {
    static IDENTITY: LazyLock<ServerIdentity> = LazyLock::new(|| ServerIdentity::random("vpn1").unwrap());
    store.register_server(&IDENTITY).unwrap()
}

/// A session on a server.
pub(crate) fn start_on(store: &Store, server: ServerId, seconds: i64) -> SessionId {
    let from = "198.51.100.7:50000".parse().unwrap();
    store.start_sessions(server, &[NewSession { started: at(seconds), from }]).unwrap()[0]
}

/// One test per function of the suite, each with a store of its own.
macro_rules! suite {
    ($open:expr) => {
        $crate::suite::suite! { $open;
            accounts_are_added_listed_and_removed
            names_are_one_whatever_the_case
            bad_names_are_refused
            every_field_can_be_set_and_unset
            a_fixed_address_has_one_owner
            a_change_of_something_older_is_refused
            secrets_come_back_as_they_were_put
            a_new_secret_replaces_all_of_the_old_one
            a_second_factor_belongs_to_its_account
            a_code_is_used_once_by_one_of_many_threads
            logins_are_remembered
            the_gate_sees_the_same_account
            whole_accounts_are_written_all_or_none
            an_address_is_lent_once
            a_lease_is_for_a_session_on_record
            a_lease_is_released_exactly_once
            what_is_given_back_is_free_before_it_is_on_record
            a_user_gets_the_last_address_again
            a_fixed_address_is_for_its_owner
            an_address_without_an_owner_is_for_all
            the_choice_follows_the_model
            leases_of_many_threads_never_overlap
            sessions_begin_grow_and_end
            a_session_ends_exactly_once
            changes_are_applied_all_or_none
            counters_of_many_sessions
            sessions_are_filtered
            the_record_is_kept_and_bounded
            what_is_typed_comes_back_typed
            a_crash_is_cleaned_up
            a_server_is_the_same_after_a_restart
            a_server_cleans_up_after_itself_alone
            session_ids_are_never_used_twice
            the_state_of_the_lockout_is_kept
            a_lock_is_shown_in_its_account
            events_keep_everything_they_hold
            events_are_filtered
            events_are_followed
            old_things_are_removed_and_young_ones_kept
            a_flood_is_cut
        }
    };
    ($open:expr; $($name:ident)+) => {
        $(#[test]
        fn $name() {
            let (store, _keep) = $open();
            suite::$name(&store);
        })+
    };
}
pub(crate) use suite;
