//! One call after another: read, carried out under the lock, written.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use guardrail::ec2::snapshot::{Shared, Snapshot};
use guardrail::ec2::world::World;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, USER_AGENT};
use hyper::{Request as HttpRequest, Response as HttpResponse, StatusCode};

use super::events::{Fates, Sender};
use super::parameters::Parameters;
use super::resources::ServedPlace;
use super::tree::{Fields, answer_xml, error_xml};
use super::{Kept, ServerOptions, requests, responses, sts};
use crate::ec2::beside::Beside;
use crate::ec2::errors::ApiError;
use crate::ec2::nothing::empty_world;
use crate::http::cloudtrail;
use crate::sim::Sim;
use crate::throttle::BucketUse;

/// More than any call of EC2 has.
pub(crate) const LARGEST_BODY: usize = 16 * 1024 * 1024;
const API_VERSION: &str = "2016-11-15";
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

pub(crate) type Answer = HttpResponse<Full<Bytes>>;

/// The answer never leaves: hyper closes the connection.
#[derive(Debug, thiserror::Error)]
#[error("the answer was lost")]
pub(crate) struct Lost;

/// What all connections share.
#[derive(Debug)]
pub(crate) struct Service {
    options: ServerOptions,
    state: Mutex<State>,
    events: Option<Sender>,
    in_flight: AtomicUsize,
    most_in_flight: AtomicUsize,
}

/// The simulator and what goes with it, changed by one call at a time.
///
/// Where accounts and Regions are apart, `sim` is the one of them that was asked last.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) sim: Sim,
    pub(crate) place: ServedPlace,
    home: ServedPlace,
    apart: bool,
    others: BTreeMap<ServedPlace, Sim>,
    pub(crate) roles: sts::Roles,
    /// When simulated time last caught up with real time.
    seen: Instant,
    /// Distinguishes the ids of this run from those of one that started at another time.
    run: u32,
    requests: u64,
}

impl State {
    fn new(sim: Sim, options: &ServerOptions) -> Self {
        let run = u32::try_from(sim.now().as_second().rem_euclid(1 << 32)).unwrap_or_default();
        let elsewhere = options.elsewhere.iter().map(|saved| {
            let other = Sim::new(saved.world.clone(), sim.now(), sim.options().clone());
            (place_of(&saved.world), other.with_beside(saved.beside.clone()))
        });
        let home = place_of(&sim.world());
        Self {
            others: elsewhere.collect(),
            place: home.clone(),
            home,
            apart: options.apart,
            roles: sts::Roles::default(),
            sim,
            seen: Instant::now(),
            run,
            requests: 0,
        }
    }

    /// Another world, in the same run.
    pub(crate) fn reset(&mut self, world: World, beside: Beside) {
        self.sim = Sim::new(world, self.sim.now(), self.sim.options().clone()).with_beside(beside);
        self.place = place_of(&self.sim.world());
        self.home = self.place.clone();
        self.others.clear();
    }

    /// Turns to the world of this place, one with nothing of anybody's in it where nobody was yet.
    /// Where places are not apart, there is only one.
    ///
    /// # Errors
    /// The Region is none.
    pub(crate) fn turn_to(&mut self, place: &ServedPlace) -> Result<(), NoSuchPlace> {
        if !self.apart || *place == self.place {
            return Ok(());
        }
        let there = match self.others.remove(place) {
            Some(there) => there,
            None => self.new_world(place).ok_or(NoSuchPlace)?,
        };
        let left = std::mem::replace(&mut self.sim, there);
        let from = std::mem::replace(&mut self.place, place.clone());
        self.others.insert(from, left);
        Ok(())
    }

    fn new_world(&self, place: &ServedPlace) -> Option<Sim> {
        let world = empty_world(&place.account.parse().ok()?, &place.region.parse().ok()?);
        let new = Sim::new(world, self.sim.now(), self.sim.options().clone());
        Some(new.with_beside(Beside::of_nothing()))
    }

    /// Turns to the world that the server began with.
    fn turn_home(&mut self) {
        let home = self.home.clone();
        // It has been there from the beginning.
        let _ = self.turn_to(&home);
    }

    /// Where a call is to go, by who signed it and for which Region.
    fn place_of_call(&self, call: &Call) -> ServedPlace {
        let role = call.access_key.as_deref().and_then(|key| self.roles.of(key));
        ServedPlace {
            account: role.map_or_else(|| self.home.account.clone(), |role| role.account.clone()),
            region: call.region.clone().unwrap_or_else(|| self.home.region.clone()),
        }
    }

    /// Whether there is, or can be, a world of this account.
    pub(crate) fn has_world_of(&self, account: &str) -> bool {
        self.apart || self.place.account == account
    }

    /// The worlds that there are; where somebody only looked, there is none.
    fn kept(&mut self) -> Vec<Kept> {
        self.turn_home();
        let others = self.others.iter().filter(|(place, sim)| {
            self.new_world(place).is_none_or(|new| new.saved() != sim.saved())
        });
        let others = others.map(|(place, sim)| Kept {
            elsewhere: Some((place.account.clone(), place.region.clone())),
            file: sim.saved(),
        });
        [Kept { elsewhere: None, file: self.sim.saved() }].into_iter().chain(others).collect()
    }

    fn catch_up(&mut self, speed: u32) {
        let now = Instant::now();
        let passed = now.duration_since(self.seen);
        self.seen = now;
        self.advance(passed.saturating_mul(speed));
    }

    /// Time passes everywhere alike.
    pub(crate) fn advance(&mut self, time: Duration) {
        self.sim.advance(time);
        self.others.values_mut().for_each(|sim| sim.advance(time));
    }

    /// The ids of the next request and of its event: counted, so that a run is the same every time.
    fn next_ids(&mut self) -> (String, String) {
        self.requests = self.requests.saturating_add(1);
        let id = |kind: u8| format!("{:08x}-0000-4000-800{kind}-{:012x}", self.run, self.requests);
        (id(0), id(1))
    }
}

/// A call is signed for what is no Region.
#[derive(Debug)]
pub(crate) struct NoSuchPlace;

/// Counts the calls that are being answered.
struct InFlight<'a>(&'a AtomicUsize);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A call off the wire.
struct Call {
    parameters: Parameters,
    user_agent: String,
    access_key: Option<String>,
    /// The Region that the call is signed for.
    region: Option<String>,
}

impl Service {
    pub(crate) fn new(sim: Sim, options: ServerOptions) -> io::Result<Self> {
        let open = |events| Sender::open(events, options.mishaps);
        let events = options.events.clone().map(open).transpose()?;
        let state = Mutex::new(State::new(sim, &options));
        Ok(Self {
            options,
            state,
            events,
            in_flight: AtomicUsize::new(0),
            most_in_flight: AtomicUsize::new(0),
        })
    }

    /// The state, with simulated time caught up, turned to the world that the server began with.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self.turned();
        state.turn_home();
        state
    }

    fn turned(&self) -> MutexGuard<'_, State> {
        // A call that panicked has not been answered; the world is as it left it.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.catch_up(self.options.speed);
        state
    }

    /// What the calls took of EC2's token buckets.
    pub(crate) fn bucket_uses(&self) -> Vec<BucketUse> {
        self.state().sim.bucket_uses()
    }

    pub(crate) fn world(&self) -> World {
        self.state().sim.world()
    }

    /// Every world.
    pub(crate) fn kept(&self) -> Vec<Kept> {
        self.state().kept()
    }

    /// Calls being answered, and the most that were at once.
    pub(crate) fn load(&self) -> (usize, usize) {
        (self.in_flight.load(Ordering::SeqCst), self.most_in_flight.load(Ordering::SeqCst))
    }

    /// How many events could not be delivered, and why the last.
    pub(crate) fn undelivered(&self) -> (usize, String) {
        self.events.as_ref().map(Sender::undelivered).unwrap_or_default()
    }

    /// What became of the events so far.
    pub(crate) fn fates(&self) -> Fates {
        self.events.as_ref().map(Sender::fates).unwrap_or_default()
    }

    pub(crate) async fn answer(&self, request: HttpRequest<Incoming>) -> Result<Answer, Lost> {
        let (head, body) = request.into_parts();
        let Ok(body) = Limited::new(body, LARGEST_BODY).collect().await else {
            return Ok(refusal(
                StatusCode::BAD_REQUEST,
                "MalformedInput",
                "the body cannot be read",
                "",
            ));
        };
        let body = body.to_bytes();
        let query = head.uri.query().unwrap_or_default();
        if let Some(path) = head.uri.path().strip_prefix("/_sim/") {
            return Ok(super::control::answer(self, &head.method, path, query, &body));
        }
        let now = self.in_flight.fetch_add(1, Ordering::SeqCst).saturating_add(1);
        let _counted = InFlight(&self.in_flight);
        self.most_in_flight.fetch_max(now, Ordering::SeqCst);
        if !self.options.latency.is_zero() {
            tokio::time::sleep(self.options.latency).await;
        }
        let form = [query.as_bytes(), &body].join(&b'&');
        let signed = header(&head.headers, &AUTHORIZATION);
        self.call(Call {
            parameters: Parameters::parse(&form),
            user_agent: header(&head.headers, &USER_AGENT).unwrap_or_default().to_owned(),
            access_key: signed.and_then(access_key).map(str::to_owned),
            region: signed.and_then(signed_region).map(str::to_owned),
        })
    }

    fn call(&self, call: Call) -> Result<Answer, Lost> {
        let mut state = self.turned();
        let place = state.place_of_call(&call);
        let there = state.turn_to(&place);
        let (request_id, event_id) = state.next_ids();
        if there.is_err() {
            let message = "AWS was not able to validate the provided access credentials";
            return Ok(refusal(StatusCode::FORBIDDEN, "AuthFailure", message, &request_id));
        }
        let mut parameters = call.parameters.clone();
        let action = parameters.text("Action").unwrap_or_default();
        let version = parameters.text("Version");
        // STS's, so that a client can be pointed here with `AWS_ENDPOINT_URL` alone.
        if let Some((status, answer)) = sts::answer(&action, &mut state, &call.asked(), &request_id)
        {
            return Ok(xml(status, answer, &request_id));
        }
        let (told, happened) = state.perform(&action, version.as_deref(), parameters);
        if let Some(events) = self.events.as_ref().filter(|_| is_recorded(&action, &told)) {
            let outcome = happened.as_ref().unwrap_or(&told).as_ref();
            events.send(cloudtrail::event(
                cloudtrail::ServedCall {
                    action: &action,
                    parameters: &call.parameters,
                    outcome: outcome.map_err(|error| {
                        (error.code.as_str(), error.message.as_str(), error.http_status)
                    }),
                    request_id: &request_id,
                    event_id: &event_id,
                    at: state.sim.now(),
                    user_agent: &call.user_agent,
                    access_key: call.access_key.as_deref(),
                },
                &state.place,
            ));
        }
        match told {
            Ok(fields) => {
                Ok(xml(StatusCode::OK, answer_xml(&action, &request_id, &fields), &request_id))
            }
            Err(error) if error.is_lost() => Err(Lost),
            Err(error) => {
                let status =
                    StatusCode::from_u16(error.http_status).unwrap_or(StatusCode::BAD_REQUEST);
                Ok(refusal(status, &error.code, &error.message, &request_id))
            }
        }
    }
}

impl Call {
    /// What it asks of STS.
    fn asked(&self) -> sts::Asked<'_> {
        sts::Asked { parameters: &self.parameters, access_key: self.access_key.as_deref() }
    }
}

/// What the caller is told, or what happened although the caller is told otherwise.
type Answered = Result<Fields, ApiError>;

impl State {
    fn perform(
        &mut self,
        action: &str,
        version: Option<&str>,
        parameters: Parameters,
    ) -> (Answered, Option<Answered>) {
        let request = match check(action, version).and_then(|()| requests::read(action, parameters))
        {
            Ok(request) => request,
            Err(refused) => return (Err(refused), None),
        };
        let outcome = self.sim.call(&request);
        let lost = self.sim.take_lost();
        let fields = |outcome: Result<_, ApiError>| {
            outcome.map(|response| responses::answer(&request, &response, &self.sim, &self.place))
        };
        (fields(outcome), lost.map(fields))
    }
}

fn check(action: &str, version: Option<&str>) -> Result<(), ApiError> {
    if action.is_empty() {
        return Err(ApiError::new(
            "MissingAction",
            "The request must contain the parameter Action",
        ));
    }
    match version {
        Some(version) if version != API_VERSION => {
            let message =
                format!("The requested version ({version}) of service AmazonEC2 does not exist");
            Err(ApiError::new("NoSuchVersion", message))
        }
        Some(_) | None => Ok(()),
    }
}

/// Only calls that can change something lead to events by default, and only those that are EC2's at
/// all.
fn is_recorded(action: &str, told: &Answered) -> bool {
    let reads = action.starts_with("Describe") || action.starts_with("Get");
    let known = told.as_ref().err().is_none_or(|error| {
        !matches!(error.code.as_str(), "InvalidAction" | "MissingAction" | "NoSuchVersion")
    });
    known && !reads
}

/// Where the world is; names that no account has, where it does not say.
fn place_of(world: &World) -> ServedPlace {
    let shared = Shared::of(world);
    let scope = Snapshot::all(world, &shared)
        .ok()
        .and_then(|all| all.into_iter().next())
        .map(|one| one.scope);
    let (account, region) = match scope {
        Some(scope) => (Some(scope.account), Some(scope.region)),
        None => (world.account_id.clone(), world.region.clone()),
    };
    ServedPlace {
        account: account.map_or_else(|| "000000000000".to_owned(), String::from),
        region: region.map_or_else(|| "us-east-1".to_owned(), String::from),
    }
}

pub(crate) fn header<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// `AWS4-HMAC-SHA256 Credential=AKIA…/20261122/eu-central-1/ec2/aws4_request, …`
pub(crate) fn access_key(authorization: &str) -> Option<&str> {
    let (_, credential) = authorization.split_once("Credential=")?;
    credential.split('/').next().filter(|key| !key.is_empty())
}

fn xml(status: StatusCode, body: Vec<u8>, request_id: &str) -> Answer {
    let mut answer = HttpResponse::new(Full::from(body));
    *answer.status_mut() = status;
    answer
        .headers_mut()
        .insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static("text/xml;charset=UTF-8"));
    if let Ok(value) = request_id.parse() {
        answer.headers_mut().insert(REQUEST_ID, value);
    }
    answer
}

fn refusal(status: StatusCode, code: &str, message: &str, request_id: &str) -> Answer {
    xml(status, error_xml(code, message, request_id), request_id)
}

/// The Region is the third part of the credential scope.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>
fn signed_region(authorization: &str) -> Option<&str> {
    let (_, credential) = authorization.split_once("Credential=")?;
    credential.split('/').nth(2).filter(|region| !region.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_access_key_stands_first_in_the_credential_scope() {
        let header = "AWS4-HMAC-SHA256 Credential=ASIAIOSFODNN7EXAMPLE/20261122/eu-central-1/ec2/aws4_request, Signature=x";
        assert_eq!(access_key(header), Some("ASIAIOSFODNN7EXAMPLE"));
        assert_eq!(signed_region(header), Some("eu-central-1"));
        assert_eq!((access_key("Bearer x"), signed_region("Bearer x")), (None, None));
        assert_eq!(access_key("AWS4-HMAC-SHA256 Credential="), None);
    }
}
