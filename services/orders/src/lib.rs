//! The orders service: it prices orders, keeps them, and moves them along a legal path.
//!
//! - `POST /orders` makes a draft of a customer's lines, checked and summed up.
//! - `GET /orders/{id}` reads it; `GET /customers/{customer}/orders?page=N` lists a customer's orders, oldest first.
//! - `PUT /orders/{id}/lines` replaces the lines of a draft.
//! - `POST /orders/{id}/state` moves it on.
//!
//! An order is one record, and every change of it one compare-and-swap. It is listed before it is written: see
//! [`service_kit::PagedIndex`].

mod pricing;
mod state;

use axum::Router;
use axum::extract::State as FromService;
use axum::http::header::LOCATION;
use axum::http::{StatusCode, Uri};
use axum::response::IntoResponse;
use axum::routing::{get, post, put};
use serde::{Deserialize, Serialize};
use service_kit::store::Decision;
use service_kit::{
    ConfigError, Currency, Json, PagedIndex, Problem, Segment, Store, is_id, page, random_id, unix_seconds,
    with_common_routes,
};

use pricing::{Invalid, Line, Totals, totals};
use state::State;

/// The service. It has no settings.
///
/// # Errors
/// None.
pub fn app<S: Store>(store: S) -> Result<Router, ConfigError> {
    let router = Router::new()
        .route("/orders", post(create::<S>))
        .route("/orders/{id}", get(read::<S>))
        .route("/orders/{id}/lines", put(replace_lines::<S>))
        .route("/orders/{id}/state", post(change_state::<S>))
        .route("/customers/{customer}/orders", get(list::<S>))
        .with_state(store);
    Ok(with_common_routes("orders", router))
}

/// An order, as it is kept and as it is answered.
#[derive(Clone, Serialize, Deserialize)]
struct Order {
    id: String,
    customer: String,
    state: State,
    currency: Currency,
    lines: Vec<Line>,
    totals: Totals,
    created_at: u64,
    updated_at: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewOrder {
    customer: String,
    currency: Currency,
    lines: Vec<Line>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewLines {
    lines: Vec<Line>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewState {
    to: State,
}

/// An order in a listing.
#[derive(Serialize)]
struct Summary {
    id: String,
    state: State,
    currency: Currency,
    gross: u64,
    created_at: u64,
}

#[derive(Serialize)]
struct Listing {
    orders: Vec<Summary>,
    next: Option<String>,
}

async fn create<S: Store>(
    FromService(store): FromService<S>,
    Json(new): Json<NewOrder>,
) -> Result<impl IntoResponse, Problem> {
    let customer = checked_customer(new.customer)?;
    let totals = priced(&new.lines)?;
    let now = unix_seconds();
    let order = Order {
        id: random_id(),
        customer,
        state: State::Draft,
        currency: new.currency,
        lines: new.lines,
        totals,
        created_at: now,
        updated_at: now,
    };
    orders_of(&store, &order.customer).append(&order.id).await?;
    store.write(&order_key(&order.id), &order).await?;
    Ok((StatusCode::CREATED, [(LOCATION, format!("/orders/{}", order.id))], Json(order)))
}

async fn read<S: Store>(FromService(store): FromService<S>, Segment(id): Segment) -> Result<Json<Order>, Problem> {
    let order = store.read(&checked_key(&id)?).await?;
    order.map(Json).ok_or_else(unknown_order)
}

async fn list<S: Store>(
    FromService(store): FromService<S>,
    Segment(customer): Segment,
    uri: Uri,
) -> Result<Json<Listing>, Problem> {
    let customer = checked_customer(customer)?;
    let page = orders_of(&store, &customer).page(page(&uri)?).await?;
    let mut orders = Vec::with_capacity(page.ids.len());
    for id in page.ids {
        // Nothing is there when its making was cut short.
        if let Some(order) = store.read::<Order>(&order_key(&id)).await? {
            let Order { id, state, currency, totals, created_at, .. } = order;
            orders.push(Summary { id, state, currency, gross: totals.gross, created_at });
        }
    }
    let next = page.next.map(|page| format!("/customers/{customer}/orders?page={page}"));
    Ok(Json(Listing { orders, next }))
}

async fn replace_lines<S: Store>(
    FromService(store): FromService<S>,
    Segment(id): Segment,
    Json(new): Json<NewLines>,
) -> Result<Json<Order>, Problem> {
    let totals = priced(&new.lines)?;
    change(&store, &id, |order| {
        if order.state != State::Draft {
            let state = order.state.name();
            return Err(Problem::conflict(
                "not-a-draft",
                format!("The order is {state}; only a draft's lines change."),
            ));
        }
        order.lines.clone_from(&new.lines);
        order.totals = totals;
        Ok(())
    })
    .await
}

async fn change_state<S: Store>(
    FromService(store): FromService<S>,
    Segment(id): Segment,
    Json(new): Json<NewState>,
) -> Result<Json<Order>, Problem> {
    change(&store, &id, |order| {
        if !order.state.next().contains(&new.to) {
            return Err(illegal(order.state, new.to));
        }
        order.state = new.to;
        Ok(())
    })
    .await
}

/// Changes an order by one compare-and-swap and answers it as it then is.
async fn change<S: Store>(
    store: &S,
    id: &str,
    mut change: impl FnMut(&mut Order) -> Result<(), Problem> + Send,
) -> Result<Json<Order>, Problem> {
    store
        .update(&checked_key(id)?, |order: Option<Order>| {
            let mut order = order.ok_or_else(unknown_order)?;
            change(&mut order)?;
            order.updated_at = unix_seconds().max(order.updated_at);
            Ok(Decision::Write(order.clone(), order))
        })
        .await
        .map(Json)
}

fn priced(lines: &[Line]) -> Result<Totals, Problem> {
    totals(lines).map_err(|invalid| {
        let kind = match invalid {
            Invalid::TooMuch => "amount-too-great",
            Invalid::Lines | Invalid::Sku(_) | Invalid::Quantity(_) | Invalid::Tax(_) | Invalid::Repeated(_) => {
                "invalid-lines"
            }
        };
        Problem::invalid(kind, invalid.to_string())
    })
}

fn illegal(from: State, to: State) -> Problem {
    let next: Vec<&str> = from.next().iter().map(|state| state.name()).collect();
    let (from, to) = (from.name(), to.name());
    let ways = if next.is_empty() { "nothing more".to_owned() } else { next.join(" or ") };
    Problem::conflict("illegal-transition", format!("The order is {from} and can become {ways}, not {to}."))
}

/// The customer's name becomes part of keys and paths.
fn checked_customer(customer: String) -> Result<String, Problem> {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    if (1..=64).contains(&customer.len()) && customer.bytes().all(legal) {
        return Ok(customer);
    }
    let detail = "A customer's name has 1 to 64 characters, each a letter, a digit, '-' or '_'.";
    Err(Problem::invalid("invalid-customer", detail))
}

fn unknown_order() -> Problem {
    Problem::not_found("There is no order of this id.")
}

fn checked_key(id: &str) -> Result<String, Problem> {
    if is_id(id) { Ok(order_key(id)) } else { Err(unknown_order()) }
}

fn order_key(id: &str) -> String {
    format!("orders/order/{id}")
}

fn orders_of<S: Store>(store: &S, customer: &str) -> PagedIndex<S> {
    PagedIndex::new(store.clone(), format!("orders/customer/{customer}"))
}
