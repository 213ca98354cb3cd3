//! An import that arrives in several requests on one connection.

use adit_api::accounts::{self, Import, ImportEntry, Imported, MAX_IMPORT, MAX_IMPORT_ENTRY};
use adit_api::{Error, Kind, Request, Response, Result};
use tokio::sync::OwnedSemaphorePermit;

use crate::service::{Caller, Service};

/// The entries that have arrived so far. They are forgotten when the connection is closed.
#[derive(Default)]
pub(super) struct CollectedImport {
    entries: Vec<ImportEntry>,
    /// Entries with errors, which are reported already. With any, nothing is written.
    refused: usize,
    permit: Option<OwnedSemaphorePermit>,
}

impl CollectedImport {
    /// Checks and keeps the entries of a request; the last request carries out the import.
    pub(super) async fn call(
        &mut self,
        mut import: Import,
        service: &Service,
        caller: Caller,
    ) -> Result<Response> {
        if self.permit.is_none() {
            self.permit = Some(service.begin_import()?);
        }
        let is_last = import.is_last;
        let response = match self.add(&import) {
            Ok(()) if !is_last => self.check(import, service, caller).await,
            Ok(()) => {
                let own = std::mem::take(&mut import.entries);
                import.entries = std::mem::take(&mut self.entries);
                import.entries.extend(own);
                import.dry_run |= self.refused > 0;
                service.call(request(import), caller).await
            }
            Err(error) => Err(error),
        };
        if is_last || response.is_err() {
            *self = CollectedImport::default();
        }
        response
    }

    /// Checks that the entries of a request fit.
    fn add(&self, import: &Import) -> Result<()> {
        let count = self.entries.len() + self.refused + import.entries.len();
        if count > MAX_IMPORT {
            let message = format!("the import has more than {MAX_IMPORT} entries");
            return Err(Error::new(Kind::Invalid, message).fix("split the file"));
        }
        Ok(())
    }

    /// Keeps the entries without an error, marked as checked.
    async fn check(&mut self, import: Import, service: &Service, caller: Caller) -> Result<Response> {
        let response = service.call(request(import.clone()), caller).await?;
        let Response::Accounts(accounts::Response::Imported(imported)) = &response else {
            return Ok(response);
        };
        self.keep(import.entries, imported);
        Ok(response)
    }

    fn keep(&mut self, entries: Vec<ImportEntry>, imported: &Imported) {
        for entry in entries {
            match imported.problems.iter().any(|problem| problem.line == entry.line) {
                true => self.refused += 1,
                false => self.entries.push(ImportEntry { is_checked: true, ..entry }),
            }
        }
    }
}

fn request(import: Import) -> Request {
    Request::Accounts(accounts::Request::Import(Box::new(import)))
}

/// Every entry fits into a request, with what is around it.
const _: () = assert!(MAX_IMPORT_ENTRY * 2 <= super::lines::MAX_REQUEST);
