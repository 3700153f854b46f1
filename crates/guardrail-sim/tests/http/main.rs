//! The simulator on a socket: what clients of EC2 and SQS get, what tests can ask of it, and the events it
//! sends.

#[cfg(test)]
mod client;
#[cfg(test)]
mod control;
#[cfg(test)]
mod events;
#[cfg(test)]
mod places;
#[cfg(test)]
mod queues;
#[cfg(test)]
mod wire;
