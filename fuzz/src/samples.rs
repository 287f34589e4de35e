//! The reader of `samples.csv`.

use tare_model::{Sample, SampleReader, SampleWriter};

/// Reads samples; the input is the file.
///
/// # Panics
/// Panics if samples that were read are others after they have been written and read again.
pub fn samples(input: &[u8]) {
    let Ok(read) = SampleReader::read(input) else { return };
    let again = SampleReader::read(&written(&read)[..]).expect("what was written can be read");
    assert_eq!(again, read);
}

fn written(samples: &[Sample]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = SampleWriter::new("run", &mut bytes);
    for sample in samples {
        writer.write(sample).expect("samples that were read can be written");
    }
    drop(writer);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_hold_samples() {
        for (name, seed) in crate::seeds("samples") {
            samples(&seed);
            assert!(!SampleReader::read(&seed[..]).expect(&name).is_empty(), "{name}");
        }
    }
}
