//! What happens while an engine closes, or opens again. Source: `delivery.md`, 5 and 8.4.

use super::*;
use nexowire_core::queue::Nack;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// How often somebody does something while a store is written: more often than one close writes.
const TIMES: u64 = 6;

/// An engine whose terminal has sent so many messages, and a consumer that holds them all.
fn held(configuration: Configuration, count: u64) -> (Arc<Told>, Engine, Arc<Mutex<Consumer>>) {
    let (store, engine) = Told::engine(configuration);
    for number in 1..=count {
        assert_eq!(accept(&engine, &body("T1", number)), accepted(number));
    }
    let mut worker = consumer(&engine, "other");
    assert_eq!(poll(&mut worker).len() as u64, count);
    (store, engine, Arc::new(Mutex::new(worker)))
}

/// Whatever is acked while the engine closes, what counted is not delivered again, and what did not count is.
#[test]
fn an_ack_that_counts_while_the_engine_closes_is_written() {
    let (store, engine, worker) = held(one_queue(""), TIMES + 2);
    let counted = Arc::new(Mutex::new(vec![]));
    let ack = |seq: u64| {
        let (worker, counted) = (Arc::clone(&worker), Arc::clone(&counted));
        move || counted.lock().unwrap().extend((worker.lock().unwrap().ack(&[seq]) == 1).then_some(seq))
    };
    ack(1)();
    (2..=TIMES + 1).for_each(|seq| store.meanwhile(ack(seq)));
    engine.close();
    ack(TIMES + 2)();
    assert!(store.drop_meanwhile() > 0, "there was something to be done in every write");
    let counted = counted.lock().unwrap().clone();
    assert_eq!(counted[..2], [1, 2], "the first write comes before the end");
    store.reopen().unwrap();
    let again = Engine::open_with(one_queue(""), store).unwrap();
    let left: Vec<_> = poll(&mut consumer(&again, "other")).iter().map(|one| one.0).collect();
    assert_eq!(left, (1..=TIMES + 2).filter(|seq| !counted.contains(seq)).collect::<Vec<_>>());
}

/// What dies while the engine closes goes to the queue for it, and not to the list.
#[test]
fn a_dead_letter_of_the_last_moment_moves() {
    let toml = "default_queue = \"other\"\nclock = \"manual\"\n[[queue]]\nname = \"other\"\ndead_letter = \"failed\"\n\
                [[queue]]\nname = \"failed\"\n";
    let (store, engine, worker) = held(configuration(toml), 3);
    assert_eq!(worker.lock().unwrap().ack(&[1]), 1);
    let nack = move || {
        let dead = Nack { dead: true, ..Nack::default() };
        assert_eq!(worker.lock().unwrap().nack(&[2], &dead), 1);
    };
    store.meanwhile(nack);
    engine.close();
    store.reopen().unwrap();
    let again = Engine::open_with(configuration(toml), store).unwrap();
    let mut batch = vec![];
    consumer(&again, "failed").poll(64, &mut batch).unwrap();
    let origins: Vec<_> = batch.iter().map(|one| one.message.story().unwrap().origin_seq).collect();
    assert_eq!(origins, [Some(2)]);
    assert_eq!(again.dead_letters(9).unwrap(), []);
    assert_eq!(poll(&mut consumer(&again, "other")), [(3, 2)]);
}

/// A store that panics when the last of it is written leaves nobody behind who leads for ever.
#[test]
fn a_store_that_panics_at_the_end_can_be_opened_again() {
    let ends: [fn(&Engine); 2] = [Engine::close, |engine| drop(engine.reopen(None))];
    for end in ends {
        let (store, engine, worker) = held(one_queue(""), 3);
        assert_eq!(worker.lock().unwrap().ack(&[1]), 1);
        store.meanwhile(move || assert_eq!(worker.lock().unwrap().ack(&[2]), 1));
        store.meanwhile(|| panic!("told to panic in the second write"));
        assert!(catch_unwind(AssertUnwindSafe(|| end(&engine))).is_err());
        assert_eq!(engine.reopen(None), Ok(1), "both acks are written in the end");
    }
}
