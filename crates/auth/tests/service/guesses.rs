//! Guesses are counted in the database: replicas share the count, and a device is known to all of them.

use std::time::Duration;

use sme_pulse_auth::service::LogInError;
use sme_pulse_domain::ids::UserId;
use sme_pulse_testing::on_both_databases;

use super::support::Office;

on_both_databases! {
    async fn guesses_at_two_replicas_count_together_and_a_device_is_known_to_both(office: Office) {
        let (here, there) = (&office.here, &office.there);
        for number in 0..11 {
            let replica = if number % 2 == 0 { here } else { there };
            assert!(matches!(replica.log_in("wrong", None).await, Err(LogInError::Refused { .. })), "{number}");
        }
        for replica in [here, there] {
            assert!(matches!(replica.log_in("123456", None).await, Err(LogInError::Slowed { seconds: 1, .. })));
        }
        // As after a password was set anew with a link from the mail.
        let device = here.auth.known_device(UserId::new(1), None);
        assert!(there.log_in("123456", Some(device.clone())).await.is_ok());
        assert!(matches!(there.log_in("wrong", Some(device)).await, Err(LogInError::Refused { .. })));
        let foreign = here.auth.known_device(UserId::new(2), None);
        assert!(matches!(there.log_in("123456", Some(foreign)).await, Err(LogInError::Slowed { .. })));
        there.clock.advance(Duration::from_secs(1));
        assert!(there.log_in("123456", None).await.is_ok());
    }
}
