//! Bounds, and the end.

use super::*;
use nexowire_core::engine::{Delivered, Replay, Submitted};
use nexowire_core::queue::PollError;

#[test]
fn what_is_submitted_counts_until_its_completion_is_read() {
    let (_, engine) = Told::engine(one_queue("[limits]\npending = 2\n"));
    let submit = |number: u64| engine.submit(Inbound::new(body("T1", number).as_bytes()), number).unwrap();
    assert_eq!([1, 2, 3].map(submit), [Submitted::Pending, Submitted::Pending, Submitted::Verdict(FULL)]);
    engine.commit();
    assert_eq!((submit(3), engine.counters().pending), (Submitted::Verdict(FULL), 2));
    let mut got = vec![];
    assert_eq!(engine.completions(1, &mut got), 1);
    assert_eq!((submit(3), submit(4)), (Submitted::Pending, Submitted::Verdict(FULL)));
    engine.reopen(Some(one_queue("[limits]\npending = 3\n"))).unwrap();
    assert_eq!(submit(4), Submitted::Pending, "an opening may change limits");
    engine.commit();
    engine.completions(9, &mut got);
    assert_eq!(got.iter().map(|done| done.id).collect::<Vec<_>>(), [1, 2, 3, 4], "in the order of submission");
}

#[cfg(unix)]
#[test]
fn the_descriptor_is_readable_while_there_are_completions() {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let (_, engine) = Told::engine(one_queue(""));
    let descriptor = engine.completions_descriptor().unwrap().unwrap();
    let readable = || {
        let mut descriptors = [PollFd::new(&descriptor, PollFlags::IN)];
        poll(&mut descriptors, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).unwrap() == 1
    };
    for number in 0..2 {
        engine.submit(Inbound::new(body("T1", number).as_bytes()), number).unwrap();
    }
    assert!(!readable());
    engine.commit();
    assert!(readable());
    engine.completions(1, &mut vec![]);
    assert!(readable(), "one is left");
    engine.completions(1, &mut vec![]);
    assert!(!readable());
}

#[test]
fn a_replay_is_not_ended_by_what_may_wait_at_once() {
    let (_, engine) = Told::engine(one_queue("[limits]\npending = 2\n"));
    let mut worker = consumer(&engine, "other");
    for number in 1..=5 {
        accept(&engine, &body("T1", number));
    }
    let held: Vec<_> = poll(&mut worker).iter().map(|one| one.0).collect();
    assert_eq!(worker.ack(&held), 5);
    assert_eq!(engine.replay(&Replay::default()), Ok(5));
}

#[test]
fn a_long_replay_leaves_nothing_out() {
    // More than is read of the log at once.
    const COUNT: u64 = 600;
    let (_, engine) = Told::engine(one_queue(""));
    let bodies: Vec<_> = (1..=COUNT).map(|number| body("T1", number)).collect();
    engine.accept_batch(bodies.iter().map(|body| Inbound::new(body.as_bytes())).collect()).unwrap();
    let mut worker = consumer(&engine, "other");
    let mut drain = || {
        let mut all: Vec<Delivered> = vec![];
        loop {
            let before = all.len();
            worker.poll(64, &mut all).unwrap();
            let seqs: Vec<_> = all[before..].iter().map(|delivered| delivered.message.origin().seq).collect();
            assert_eq!(worker.ack(&seqs), seqs.len());
            if seqs.is_empty() {
                return all;
            }
        }
    };
    assert_eq!(drain().len() as u64, COUNT);
    assert_eq!(engine.replay(&Replay::default()), Ok(COUNT));
    let repeated = drain().into_iter().map(|delivered| delivered.message.story().and_then(|story| story.origin_seq));
    assert_eq!(repeated.collect::<Vec<_>>(), (1..=COUNT).map(Some).collect::<Vec<_>>());
}

#[test]
fn a_replay_sees_what_its_own_commit_has_dropped() {
    let queue = "[[queue]]\nname = \"other\"\nlanes = 1\ncapacity = 1\nwhen_full = \"drop-oldest\"\n";
    let (_, engine) = Told::engine(configuration(&format!("clock = \"manual\"\ndefault_queue = \"other\"\n{queue}")));
    assert_eq!(accept(&engine, &body("T1", 1)), accepted(1));
    engine.submit(Inbound::new(body("T1", 2).as_bytes()), 2).unwrap();
    // The second one pushes the first one out, which is pending no more.
    assert_eq!(engine.replay(&Replay::default()), Ok(1));
    let mut batch = vec![];
    consumer(&engine, "other").poll(64, &mut batch).unwrap();
    let repeated = |delivered: &Delivered| delivered.message.story().and_then(|story| story.origin_seq);
    assert_eq!(batch.iter().map(repeated).collect::<Vec<_>>(), [Some(1)]);
}

#[test]
fn a_full_store_has_room_again_after_acks() {
    let size = body("T1", 10).len() as u64;
    let (_, engine) = Told::engine(one_queue(&format!("[store]\npath = \"-\"\nmax_bytes = {}\n", size * 20)));
    let mut worker = consumer(&engine, "other");
    let mut number = 10;
    while accept(&engine, &body("T1", number)) != FULL {
        number += 1;
        assert!(number < 40, "it was never full");
    }
    let held: Vec<_> = poll(&mut worker).iter().map(|one| one.0).collect();
    assert_eq!(worker.ack(&held), held.len());
    engine.commit();
    assert_eq!(accept(&engine, &body("T1", number)).count(), 1);
}

#[test]
fn closing_writes_and_ends() {
    let (store, engine) = Told::engine(one_queue(""));
    let mut worker = consumer(&engine, "other");
    assert_eq!(accept(&engine, &body("T1", 1)), accepted(1));
    assert_eq!(accept(&engine, &body("T1", 2)), accepted(2));
    assert_eq!(poll(&mut worker).len(), 2);
    assert_eq!(worker.ack(&[1]), 1);
    engine.submit(Inbound::new(body("T1", 3).as_bytes()), 3).unwrap();
    engine.close();
    assert_eq!(accept(&engine, &body("T1", 4)), Verdict::Busy { reason: BusyReason::Closing });
    assert_eq!((worker.poll(1, &mut vec![]), worker.ack(&[2])), (Err(PollError::Closed), 0));
    let mut got = vec![];
    assert_eq!((engine.completions(9, &mut got), got[0].verdict), (1, accepted(3)));
    let again = Engine::open_with(one_queue(""), Arc::new(store.inner.clone())).unwrap();
    assert_eq!(poll(&mut consumer(&again, "other")), [(2, 2), (3, 1)]);
}

#[cfg(feature = "store")]
#[test]
fn two_engines_share_no_directory() {
    use nexowire_core::delivery::StoreErrorKind;
    use nexowire_core::engine::OpenError;
    let directory = tempfile::tempdir().unwrap();
    let first = Engine::open_in(one_queue(""), directory.path()).unwrap();
    let Err(OpenError::Store(error)) = Engine::open_in(one_queue(""), directory.path()) else {
        panic!("a second owner")
    };
    assert_eq!(error.kind, StoreErrorKind::Locked);
    first.close();
    Engine::open_in(one_queue(""), directory.path()).unwrap();
}
