#!/bin/sh
# Locks the policies that keep checkpoints and the exported ledger from being rewritten. For ever: a locked policy can be made longer and
# never shorter, and the account cannot be deleted while it holds anything. So it is asked for by name: azd env set LOCK_RECORDS yes
set -eu

if [ "${LOCK_RECORDS:-no}" != yes ]; then
  echo "Checkpoints and the exported ledger can still be unprotected by an administrator; azd env set LOCK_RECORDS yes locks them for good."
  exit 0
fi

for container in checkpoints ledger; do
  policy="az storage container immutability-policy"
  state=$($policy show --account-name "$RECORD_ACCOUNT" --container-name "$container" --query state --output tsv)
  if [ "$state" = Locked ]; then continue; fi
  etag=$($policy show --account-name "$RECORD_ACCOUNT" --container-name "$container" --query etag --output tsv)
  $policy lock --account-name "$RECORD_ACCOUNT" --container-name "$container" --if-match "$etag" --output none
  echo "Locked: $container of $RECORD_ACCOUNT"
done
