//! The ledger, as it is read: entries, and their trial balance.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::Uri;
use serde::Serialize;
use service_kit::{Currency, Json, Problem, Segment, Store, page};

use crate::ledger::{Account, Posting, Sides, balances, is_balanced};
use crate::payment::{Kind, Operation, Payment};
use crate::{Service, checked_key, checked_merchant, payment_key, payments_of, unknown_payment};

/// An entry of the ledger.
#[derive(Serialize)]
struct Entry {
    payment: String,
    operation: String,
    kind: Kind,
    currency: Currency,
    at: u64,
    postings: Vec<Posting>,
}

/// Entries, and what they come to in each currency.
#[derive(Serialize)]
pub struct Books {
    entries: Vec<Entry>,
    balances: BTreeMap<Currency, BTreeMap<Account, Sides>>,
    /// Whether the two sides are equal in each currency.
    balanced: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// `GET /payments/{id}/ledger`.
pub async fn of_payment<S: Store>(
    State(service): State<Service<S>>,
    Segment(id): Segment,
) -> Result<Json<Books>, Problem> {
    let payment: Payment = service.store.read(&checked_key(&id)?).await?.ok_or_else(unknown_payment)?;
    books(entries(payment), None).map(Json)
}

/// `GET /merchants/{merchant}/ledger?page=N`: the entries of a page of the merchant's payments, oldest first.
pub async fn of_merchant<S: Store>(
    State(service): State<Service<S>>,
    Segment(merchant): Segment,
    uri: Uri,
) -> Result<Json<Books>, Problem> {
    let merchant = checked_merchant(merchant)?;
    let number = page(&uri)?;
    let mut page = payments_of(&service.store, &merchant).page(number).await?;
    // Two requests under one key can have listed a payment twice; the record says on which page it stands.
    page.ids.sort_unstable();
    page.ids.dedup();
    let mut payments = Vec::with_capacity(page.ids.len());
    for id in &page.ids {
        payments
            .extend(service.store.read::<Payment>(&payment_key(id)).await?.filter(|payment| payment.page == number));
    }
    payments.sort_by_key(|payment| payment.created_at);
    let next = page.next.map(|page| format!("/merchants/{merchant}/ledger?page={page}"));
    books(payments.into_iter().flat_map(entries).collect(), next).map(Json)
}

fn entries(payment: Payment) -> Vec<Entry> {
    let (id, currency) = (payment.id, payment.amount.currency);
    let entry = |Operation { id: operation, kind, at, postings, .. }| Entry {
        payment: id.clone(),
        operation,
        kind,
        currency,
        at,
        postings,
    };
    payment.operations.into_iter().map(entry).collect()
}

fn books(entries: Vec<Entry>, next: Option<String>) -> Result<Books, Problem> {
    let mut by_currency: BTreeMap<Currency, Vec<&Posting>> = BTreeMap::new();
    for entry in &entries {
        by_currency.entry(entry.currency).or_default().extend(&entry.postings);
    }
    let mut all = BTreeMap::new();
    for (currency, postings) in by_currency {
        all.insert(currency, balances(postings).ok_or_else(Problem::internal)?);
    }
    let balanced = all.values().all(is_balanced);
    Ok(Books { entries, balances: all, balanced, next })
}
