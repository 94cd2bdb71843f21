//! Stores that fail, and what a reopening makes of it.

use super::*;
use nexowire_core::queue::{Nack, PollError};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

/// A leader that panics in its store: everybody is answered, nothing of it counts, and a reopening goes on.
#[test]
fn a_leader_that_panics_answers_everybody() {
    for (next, kept) in [(Next::PanicBefore, false), (Next::PanicAfter, true)] {
        let (store, engine) = Told::engine(one_queue(""));
        assert_eq!(accept(&engine, &body("T1", 1)), accepted(1));
        store.tell(next);
        engine.submit(Inbound::new(body("T1", 2).as_bytes()), 7).unwrap();
        let panicked = catch_unwind(AssertUnwindSafe(|| engine.commit()));
        assert!(panicked.is_err());
        let mut completions = vec![];
        engine.completions(9, &mut completions);
        assert_eq!(completions.iter().map(|done| (done.id, done.verdict)).collect::<Vec<_>>(), [(7, STORE)]);
        assert_eq!(accept(&engine, &body("T1", 2)), STORE, "latched");
        assert_eq!(engine.reopen(None), Ok(1 + u64::from(kept)));
        let again = accept(&engine, &body("T1", 2));
        assert_eq!(again, if kept { Verdict::Duplicate { seq: 2 } } else { accepted(3) });
        let last = if kept { 2 } else { 3 };
        assert_eq!(poll(&mut consumer(&engine, "other")), [(1, 1), (last, 1)]);
    }
}

/// After the sync verdicts stand, and as not all is published only a reopening goes on.
#[test]
fn a_leader_that_panics_while_it_publishes_has_accepted() {
    let queue = "default_queue = \"other\"\nclock = \"manual\"\n[[queue]]\nname = \"other\"\nlanes = 1\ncapacity = 1\n";
    let (store, engine) = Told::engine(configuration(queue));
    assert_eq!([1, 2].map(|number| accept(&engine, &body("T1", number))), [accepted(1), accepted(2)]);
    assert_eq!(poll(&mut consumer(&engine, "other")), [(1, 1)]);
    // To make room it looks for the oldest among those that are in the store alone.
    engine.reload(configuration(&format!("{queue}when_full = \"drop-oldest\"\n"))).unwrap();
    let mut worker = consumer(&engine, "other");
    assert_eq!(poll(&mut worker), [(1, 2)]);
    engine.submit(Inbound::new(body("T1", 3).as_bytes()), 7).unwrap();
    store.panic_at_next_read();
    assert!(catch_unwind(AssertUnwindSafe(|| engine.commit())).is_err());
    let mut completions = vec![];
    engine.completions(9, &mut completions);
    assert_eq!(completions.iter().map(|done| (done.id, done.verdict)).collect::<Vec<_>>(), [(7, accepted(3))]);
    assert_eq!(accept(&engine, &body("T1", 4)), STORE, "latched");
    assert_eq!(engine.reopen(None), Ok(3));
    assert_eq!(accept(&engine, &body("T1", 3)), Verdict::Duplicate { seq: 3 });
    let handed = [(); 3].map(|()| {
        let held = poll(&mut worker);
        assert_eq!((held.len(), worker.ack(&[held[0].0])), (1, 1));
        held[0].0
    });
    assert_eq!(handed, [1, 2, 3]);
}

/// Threads that wait for a leader that panics do not hang.
#[test]
fn nobody_waits_for_a_leader_that_is_gone() {
    let (store, engine) = Told::engine(one_queue(""));
    store.tell(Next::PanicBefore);
    let verdicts = thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|number| {
                let engine = &engine;
                scope.spawn(move || catch_unwind(AssertUnwindSafe(|| accept(engine, &body("T1", number)))))
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    assert_eq!(verdicts.iter().filter(|verdict| verdict.is_err()).count(), 1);
    assert!(verdicts.into_iter().flatten().all(|verdict| verdict == STORE));
    assert_eq!(engine.counters().pending, 0);
    assert_eq!(engine.reopen(None), Ok(0));
    assert_eq!(accept(&engine, &body("T1", 0)).count(), 1);
}

#[test]
fn a_failing_sync_that_kept_its_changes_is_an_acceptance() {
    let (store, engine) = Told::engine(one_queue(""));
    for keeps in [true, false] {
        let number = u64::from(keeps);
        store.inner.keep_failed_writes(keeps);
        store.inner.fail_writes(true);
        assert_eq!(accept(&engine, &body("T1", number)), STORE);
        store.inner.fail_writes(false);
        assert_eq!(accept(&engine, &body("T2", 9)), STORE);
        engine.reopen(None).unwrap();
        let again = accept(&engine, &body("T1", number));
        assert_eq!(again, if keeps { Verdict::Duplicate { seq: 1 } } else { accepted(3) });
    }
    assert_eq!(poll(&mut consumer(&engine, "other")), [(1, 1), (3, 1)]);
}

/// While the store is latched what is in memory goes out, acks count, and a reopening writes them, also to other lanes.
#[test]
fn acks_of_a_latched_engine_are_written_after_it() {
    for lanes in [2, 1, 5] {
        let (store, engine) = Told::engine(one_queue(""));
        for number in 1..=6 {
            accept(&engine, &body(["T1", "T2", "T3"][number as usize % 3], number));
        }
        let mut worker = consumer(&engine, "other");
        store.inner.fail_writes(true);
        assert_eq!(accept(&engine, &body("T1", 7)), STORE);
        store.inner.fail_writes(false);
        let mut held = poll(&mut worker);
        held.extend(poll(&mut consumer(&engine, "other")));
        assert!(held.len() >= 3, "it hands out what is in memory");
        assert_eq!(worker.ack(&[1, 2]), 2);
        let queue = format!("[[queue]]\nname = \"other\"\nlanes = {lanes}\ncapacity = 64\n");
        let toml = format!("clock = \"manual\"\ndefault_queue = \"other\"\n{queue}");
        assert_eq!(engine.reopen(Some(configuration(&toml))), Ok(4), "{lanes} lanes");
        assert_eq!(worker.ack(&[3]), 1, "late, and of something that it holds no more");
        let mut rest = poll(&mut worker);
        while worker.ack(&rest.iter().map(|one| one.0).collect::<Vec<_>>()) > 0 {
            let more = poll(&mut worker);
            rest.extend(more);
        }
        rest.sort_unstable();
        assert_eq!(rest.iter().map(|one| one.0).collect::<Vec<_>>(), [4, 5, 6]);
    }
}

/// What dies while the store fails is moved to its queue once, and not lost.
#[test]
fn a_dead_letter_on_its_way_outlives_the_failure() {
    for keeps in [true, false] {
        let toml = "default_queue = \"other\"\nclock = \"manual\"\n[[queue]]\nname = \"other\"\ndead_letter = \"failed\"\n\
                    [[queue]]\nname = \"failed\"\n";
        let (store, engine) = Told::engine(configuration(toml));
        accept(&engine, &body("T1", 1));
        accept(&engine, &body("T2", 2));
        let mut worker = consumer(&engine, "other");
        assert_eq!(poll(&mut worker).len(), 2);
        let dead = Nack { dead: true, ..Nack::default() };
        assert_eq!(worker.nack(&[1], &dead), 1);
        store.inner.keep_failed_writes(keeps);
        store.inner.fail_writes(true);
        engine.commit();
        store.inner.fail_writes(false);
        assert_eq!(worker.nack(&[2], &dead), 1);
        assert_eq!(engine.reopen(None), Ok(2));
        let mut failed = consumer(&engine, "failed");
        let mut batch = vec![];
        failed.poll(64, &mut batch).unwrap();
        let mut origins: Vec<_> = batch.iter().map(|one| one.message.story().unwrap().origin_seq).collect();
        origins.sort_unstable();
        assert_eq!(origins, [Some(1), Some(2)]);
        assert!(poll(&mut worker).is_empty());
    }
}

/// A reopening that fails leaves the engine as it was; its queues are not at their end.
#[test]
fn a_reopening_that_fails_ends_no_queue() {
    let (store, engine) = Told::engine(one_queue(""));
    accept(&engine, &body("T1", 1));
    let mut worker = consumer(&engine, "other");
    store.inner.fail_writes(true);
    assert_eq!(accept(&engine, &body("T1", 2)), STORE);
    let more = one_queue("[[queue]]\nname = \"new\"\n");
    assert!(engine.reopen(Some(more.clone())).is_err());
    match worker.poll(64, &mut vec![]) {
        Ok(_) | Err(PollError::Store) => {}
        Err(error) => panic!("{error}"),
    }
    assert_eq!(accept(&engine, &body("T1", 2)), STORE);
    store.inner.fail_writes(false);
    assert_eq!(engine.reopen(Some(more)), Ok(1));
    assert_eq!(poll(&mut worker).len(), 1);
}
