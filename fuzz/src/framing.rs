//! The load generator's reader of HTTP answers.

use tare_load::framing::Framing;

/// What the reader makes of an answer: status, body, length, and whether the connection may be kept. `None` if it refuses.
type Read = Option<(u16, Vec<u8>, usize, bool)>;

/// Reads an answer in one piece and in segments, and compares.
///
/// The last byte of the input says whether the request was a `HEAD`, and how long the segments are; the rest is the answer.
///
/// # Panics
/// Panics if the segments make a difference, or an answer is longer than what was received.
pub fn framing(input: &[u8]) {
    let Some((&how, answer)) = input.split_last() else { return };
    let to_head = how & 1 == 1;
    let segment = usize::from(how >> 1) + 1;
    let whole = read(answer, to_head, answer.len().max(1));
    assert_eq!(read(answer, to_head, segment), whole, "read in segments of {segment} bytes and in one piece");
    if let Some((_, body, end, _)) = whole {
        assert!(body.len() <= end && end <= answer.len(), "{} bytes of body, {end} of {}", body.len(), answer.len());
    }
}

fn read(answer: &[u8], to_head: bool, segment: usize) -> Read {
    let mut framing = Framing::new(to_head);
    let mut received = 0;
    let mut complete = false;
    while !complete && received < answer.len() {
        received = (received + segment).min(answer.len());
        complete = framing.advance(&answer[..received]).ok()?;
    }
    framing.end_of_stream(&answer[..received]).ok()?;
    Some((framing.status(), framing.body(answer).to_vec(), framing.end(), framing.keep_alive()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_whole_answers() {
        for (name, seed) in crate::seeds("framing") {
            framing(&seed);
            let answer = &seed[..seed.len() - 1];
            let (_, _, end, _) = read(answer, false, 1).expect(&name);
            assert_eq!(end, answer.len(), "{name}");
        }
    }
}
