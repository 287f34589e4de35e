//! The auth service as its callers see it: requests in, answers out, in this process.

use axum::Router;
use axum::body::Body;
use axum::http::header::{ALLOW, CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{Method, Request, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};
use service_kit::store::Memory;
use tower::ServiceExt;

const KEY: &[u8] = b"a key of this test, thirty-two bytes";

fn service() -> Router {
    service_auth::router(Memory::default(), KEY)
}

async fn call(service: &Router, request: Request<Body>) -> Response {
    service.clone().oneshot(request).await.unwrap()
}

async fn post(service: &Router, path: &str, body: &Value) -> (StatusCode, Value) {
    let request = Request::post(path).header(CONTENT_TYPE, "application/json").body(body.to_string().into()).unwrap();
    answer(call(service, request).await).await
}

async fn verify(service: &Router, authorization: &str) -> (StatusCode, Value) {
    let request = Request::get("/session").header("authorization", authorization).body(Body::empty()).unwrap();
    answer(call(service, request).await).await
}

async fn answer(response: Response) -> (StatusCode, Value) {
    let status = response.status();
    let expected = if status.is_success() { "application/json" } else { "application/problem+json" };
    assert_eq!(response.headers()[CONTENT_TYPE], expected);
    let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    (status, serde_json::from_slice(&body).unwrap())
}

fn ann() -> Value {
    json!({ "email": "ann@example.com", "password": "correct horse" })
}

#[tokio::test]
async fn a_registered_user_logs_in_and_the_token_is_good() {
    let service = service();
    let (status, user) = post(&service, "/users", &ann()).await;
    assert_eq!((status, &user["email"]), (StatusCode::CREATED, &json!("ann@example.com")));
    let (status, session) = post(&service, "/sessions", &ann()).await;
    assert_eq!(
        (status, &session["token_type"], &session["expires_in"]),
        (StatusCode::CREATED, &json!("Bearer"), &json!(3600))
    );
    let token = session["token"].as_str().unwrap();
    for scheme in ["Bearer", "bearer", "BEARER"] {
        let (status, verified) = verify(&service, &format!("{scheme} {token}")).await;
        assert_eq!((status, &verified["user"]), (StatusCode::OK, &user["id"]));
    }
}

#[tokio::test]
async fn no_answer_shows_a_password_or_its_hash() {
    let service = service();
    let (_, user) = post(&service, "/users", &ann()).await;
    let (_, session) = post(&service, "/sessions", &ann()).await;
    for answer in [user.to_string(), session.to_string()] {
        assert!(!answer.contains("correct horse") && !answer.contains("argon2"), "{answer}");
    }
}

#[tokio::test]
async fn an_address_is_registered_once_whatever_its_case() {
    let service = service();
    assert_eq!(post(&service, "/users", &ann()).await.0, StatusCode::CREATED);
    let (status, problem) =
        post(&service, "/users", &json!({ "email": "ANN@example.com", "password": "another one" })).await;
    assert_eq!((status, &problem["type"]), (StatusCode::CONFLICT, &json!("urn:problem-type:email-taken")));
    assert_eq!(post(&service, "/sessions", &ann()).await.0, StatusCode::CREATED);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_register_an_address_at_once_one_gets_it() {
    let service = service();
    let tries: Vec<_> = (0..8)
        .map(|number| {
            let service = service.clone();
            tokio::spawn(async move {
                let body = json!({ "email": "ann@example.com", "password": format!("password {number}") });
                post(&service, "/users", &body).await.0
            })
        })
        .collect();
    let mut created = 0;
    for one in tries {
        match one.await.unwrap() {
            StatusCode::CREATED => created += 1,
            status => assert_eq!(status, StatusCode::CONFLICT),
        }
    }
    assert_eq!(created, 1);
}

#[tokio::test]
async fn an_unknown_user_and_a_wrong_password_get_the_same_answer() {
    let service = service();
    post(&service, "/users", &ann()).await;
    let wrong = post(&service, "/sessions", &json!({ "email": "ann@example.com", "password": "wrong horse" })).await;
    let unknown = post(&service, "/sessions", &json!({ "email": "bob@example.com", "password": "wrong horse" })).await;
    let no_address = post(&service, "/sessions", &json!({ "email": "bob", "password": "wrong horse" })).await;
    assert_eq!(wrong.0, StatusCode::UNAUTHORIZED);
    assert_eq!(wrong, unknown);
    assert_eq!(wrong, no_address);
}

#[tokio::test]
async fn a_token_of_another_key_is_refused() {
    let (mine, other) = (service(), service_auth::router(Memory::default(), b"another key, thirty-two bytes long"));
    post(&other, "/users", &ann()).await;
    let (_, session) = post(&other, "/sessions", &ann()).await;
    let authorization = format!("Bearer {}", session["token"].as_str().unwrap());
    assert_eq!(verify(&other, &authorization).await.0, StatusCode::OK);
    let (status, problem) = verify(&mine, &authorization).await;
    assert_eq!((status, &problem["type"]), (StatusCode::UNAUTHORIZED, &json!("urn:problem-type:invalid-token")));
}

#[tokio::test]
async fn a_request_without_a_token_is_challenged() {
    let service = service();
    let response = call(&service, Request::get("/session").body(Body::empty()).unwrap()).await;
    assert_eq!(
        (response.status(), &response.headers()[WWW_AUTHENTICATE]),
        (StatusCode::UNAUTHORIZED, &"Bearer".parse().unwrap())
    );
    for authorization in ["Bearer", "Basic YTpi", "Bearer  ", "token"] {
        assert_eq!(verify(&service, authorization).await.0, StatusCode::UNAUTHORIZED, "{authorization}");
    }
}

#[tokio::test]
async fn bad_registrations_are_refused() {
    let service = service();
    for (body, kind) in [
        (json!({ "email": "ann", "password": "correct horse" }), "invalid-email"),
        (json!({ "email": "ann@example.com", "password": "short" }), "invalid-password"),
        (json!({ "email": "ann@example.com", "password": "x".repeat(129) }), "invalid-password"),
        (json!({ "email": "ann@example.com" }), "invalid-body"),
        (json!({ "email": "ann@example.com", "password": "correct horse", "admin": true }), "invalid-body"),
        (json!({ "email": "ann@example.com", "password": 12_345_678 }), "invalid-body"),
        (json!([]), "invalid-body"),
    ] {
        let (status, problem) = post(&service, "/users", &body).await;
        let expected = format!("urn:problem-type:{kind}");
        assert_eq!((status, problem["type"].as_str()), (StatusCode::UNPROCESSABLE_ENTITY, Some(&*expected)), "{body}");
        assert!(!problem.to_string().contains("12345678"), "a refusal quotes a password: {problem}");
    }
}

#[tokio::test]
async fn requests_that_break_http_are_refused_with_a_problem() {
    let service = service();
    let json = |body: &'static str| {
        Request::post("/users").header(CONTENT_TYPE, "application/json").body(Body::from(body)).unwrap()
    };
    let large = Request::post("/users")
        .header(CONTENT_TYPE, "application/json")
        .body(Body::from(vec![b' '; 65 * 1024]))
        .unwrap();
    let text = Request::post("/users").header(CONTENT_TYPE, "text/plain").body(Body::from("{}")).unwrap();
    let untyped = Request::post("/users").body(Body::from("{}")).unwrap();
    for (request, expected) in [
        (json("{"), StatusCode::BAD_REQUEST),
        (json(""), StatusCode::BAD_REQUEST),
        (large, StatusCode::PAYLOAD_TOO_LARGE),
        (text, StatusCode::UNSUPPORTED_MEDIA_TYPE),
        (untyped, StatusCode::UNSUPPORTED_MEDIA_TYPE),
        (Request::get("/nowhere").body(Body::empty()).unwrap(), StatusCode::NOT_FOUND),
        (Request::get("/").body(Body::empty()).unwrap(), StatusCode::NOT_FOUND),
    ] {
        let (status, problem) = answer(call(&service, request).await).await;
        assert_eq!((status, problem["status"].as_u64()), (expected, Some(u64::from(expected.as_u16()))));
    }
}

#[tokio::test]
async fn a_wrong_method_is_told_the_right_ones() {
    let request = Request::builder().method(Method::DELETE).uri("/users").body(Body::empty()).unwrap();
    let response = call(&service(), request).await;
    assert_eq!(
        (response.status(), &response.headers()[ALLOW]),
        (StatusCode::METHOD_NOT_ALLOWED, &"POST".parse().unwrap())
    );
    assert_eq!(answer(response).await.1["title"], "Method Not Allowed");
}

#[tokio::test]
async fn the_service_says_that_it_is_well() {
    let response = call(&service(), Request::get("/healthz").body(Body::empty()).unwrap()).await;
    let (status, body) = answer(response).await;
    assert_eq!((status, body), (StatusCode::OK, json!({ "status": "ok", "service": "auth" })));
}
