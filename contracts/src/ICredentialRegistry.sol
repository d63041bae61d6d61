// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title The registry of credential batches
/// @notice Issuers anchor Merkle roots of credential digests here, and say later which credentials
/// they revoked or suspended. Nobody stands above the issuers: there is no administrator, no upgrade,
/// and no way to delete or alter an anchor.
///
/// Every event of an issuer is folded into one hash chain, its head, so that logs from any source can
/// be checked against one storage slot:
///
///     head_0 = keccak256(abi.encode(chainId, registry, issuer, owner, didHash, time))
///     head'  = keccak256(head || topic0 || topic2 || (topic3 or 0) || log data without its last word)
///
/// The data of every folded event ends with the block time and head'. Topic 1 is the issuer whose head
/// folds. `IssuerRegistered` carries head_0 and is not folded again; `IssuerDid` is not folded, it is
/// checked against didHash.
///
/// @dev Roles: ANCHOR = 1, STATUS = 2. Views never revert: what does not exist reads as zero.
interface ICredentialRegistry {
    /// @notice What the registry says of one credential. `verify` and `statusOf` return the first that applies.
    /// @param NotAnchored this issuer has no anchor of this root
    /// @param UnknownSize anchored bare: no path can be checked
    /// @param BadIndex at or above the size
    /// @param BadPathLength the path has another length than index and size demand
    /// @param BadProof the path leads to another root
    /// @param Compromised the anchoring key was reported stolen from a time not later than the anchor's
    /// @param Revoked for ever, alone or with its batch
    /// @param Suspended for now
    /// @param Active none of the above
    enum Standing {
        NotAnchored,
        UnknownSize,
        BadIndex,
        BadPathLength,
        BadProof,
        Compromised,
        Revoked,
        Suspended,
        Active
    }

    // ---------------------------------------------------------------------------------------- events

    /// @notice A new issuer. `didHash` is keccak256 of the bytes of its DID; `head` is head_0.
    event IssuerRegistered(
        uint256 indexed issuer, address indexed owner, bytes32 didHash, uint40 time, bytes32 head
    );

    /// @notice The DID of a new issuer, in words. The one event without a time and a head.
    event IssuerDid(uint256 indexed issuer, string did);

    /// @notice The owner offered the issuer to `pendingOwner`; zero takes an offer back.
    event OwnershipTransferStarted(
        uint256 indexed issuer, address indexed pendingOwner, uint40 time, bytes32 head
    );

    /// @notice `owner` accepted the issuer.
    event OwnershipTransferred(uint256 indexed issuer, address indexed owner, uint40 time, bytes32 head);

    /// @notice From now on `operator` has exactly `roles`.
    event OperatorSet(
        uint256 indexed issuer, address indexed operator, uint8 roles, uint40 time, bytes32 head
    );

    /// @notice Nothing `operator` anchored at or after `since` is to be trusted; its roles end here.
    event OperatorCompromised(
        uint256 indexed issuer, address indexed operator, uint40 since, uint40 time, bytes32 head
    );

    /// @notice Bare roots sent by `operator` count for `issuer` from now on.
    event BareIssuerNamed(uint256 indexed issuer, address indexed operator, uint40 time, bytes32 head);

    /// @notice `operator` anchored `root` over `size` leaves; size 0 is a bare root. A second event for the
    /// same root is a re-anchoring, and its operator and time count.
    event Anchored(
        uint256 indexed issuer,
        bytes32 indexed root,
        address indexed operator,
        uint48 size,
        uint40 time,
        bytes32 head
    );

    /// @notice Bits of one status word that were set in the revocations. `mask` holds the bits that changed.
    event Revoked(
        uint256 indexed issuer,
        bytes32 indexed root,
        uint256 indexed word,
        address operator,
        uint256 mask,
        uint8 reason,
        uint40 time,
        bytes32 head
    );

    /// @notice Bits of one status word that were set in the suspensions. `mask` holds the bits that changed.
    event Suspended(
        uint256 indexed issuer,
        bytes32 indexed root,
        uint256 indexed word,
        address operator,
        uint256 mask,
        uint8 reason,
        uint40 time,
        bytes32 head
    );

    /// @notice Bits of one status word that were cleared in the suspensions. `mask` holds the bits that changed.
    event Reinstated(
        uint256 indexed issuer,
        bytes32 indexed root,
        uint256 indexed word,
        address operator,
        uint256 mask,
        uint8 reason,
        uint40 time,
        bytes32 head
    );

    /// @notice Every credential under `root` is revoked, for ever.
    event BatchRevoked(
        uint256 indexed issuer,
        bytes32 indexed root,
        address operator,
        uint8 reason,
        uint40 time,
        bytes32 head
    );

    /// @notice `accreditor` recognises `issuer` from `time` until `until` (0: open), as span number `span`.
    event Accredited(
        uint256 indexed accreditor,
        uint256 indexed issuer,
        uint256 span,
        uint40 until,
        uint40 time,
        bytes32 head
    );

    /// @notice Span number `span` ends at `time`.
    event AccreditationWithdrawn(
        uint256 indexed accreditor, uint256 indexed issuer, uint256 span, uint40 time, bytes32 head
    );

    // ---------------------------------------------------------------------------------------- errors

    /// @notice No issuer has this number.
    error UnknownIssuer(uint256 issuer);

    /// @notice Only the owner of the issuer may do this.
    error NotOwner(uint256 issuer, address caller);

    /// @notice The issuer was not offered to the caller.
    error NotPendingOwner(uint256 issuer, address caller);

    /// @notice The zero address cannot be an operator.
    error ZeroAddress();

    /// @notice A DID has 1 to 2048 bytes.
    error InvalidDid(uint256 length);

    /// @notice There are only the roles 1 and 2.
    error InvalidRoles(uint8 roles);

    /// @notice `operator` lacks `role` for this issuer.
    error MissingRole(uint256 issuer, address operator, uint8 role);

    /// @notice `operator` was reported compromised and can have no role again.
    error KeyCompromised(uint256 issuer, address operator, uint40 since);

    /// @notice `since` is zero or later than `latest`, the greatest value allowed: now, or one second before
    /// the time reported earlier.
    error InvalidSince(uint40 since, uint40 latest);

    /// @notice The state is already as asked.
    error NothingChanges();

    /// @notice A root is not zero.
    error ZeroRoot();

    /// @notice A batch has at least one leaf.
    error ZeroSize();

    /// @notice This issuer has a trusted anchor of this root: by `operator`, at `time`, over `size` leaves.
    error AlreadyAnchored(uint256 issuer, bytes32 root, address operator, uint40 time, uint48 size);

    /// @notice A root is anchored again only at the size it was anchored with.
    error SizeDiffers(uint256 issuer, bytes32 root, uint48 anchored, uint48 given);

    /// @notice This issuer has no anchor of this root.
    error NotAnchored(uint256 issuer, bytes32 root);

    /// @notice `mask` has bits of indexes at or above `size`.
    error BitsBeyondSize(uint256 word, uint256 mask, uint48 size);

    /// @notice Each word needs its mask.
    error LengthsDiffer(uint256 words, uint256 masks);

    /// @notice The signature was good until `deadline`.
    error DeadlinePassed(uint256 deadline);

    /// @notice Not 65 bytes, v neither 27 nor 28, s in the upper half of the order, or no key at all.
    error InvalidSignature();

    /// @notice Neither a function of this contract nor a bare root of 32 bytes.
    error BadCalldata(uint256 length);

    /// @notice `operator` has not named the issuer of its bare roots.
    error NoBareIssuer(address operator);

    /// @notice `until` is neither 0 nor in the future.
    error InvalidUntil(uint40 until);

    /// @notice A span of this accreditation is running.
    error AlreadyAccredited(uint256 accreditor, uint256 issuer);

    /// @notice No span of this accreditation is running.
    error NotAccredited(uint256 accreditor, uint256 issuer);

    // ------------------------------------------------------------------------------ issuers and owners

    /// @notice Registers a new issuer, owned by the caller. Proves nothing about who holds the DID.
    /// @dev Anyone. Reverts: InvalidDid. Emits IssuerRegistered and IssuerDid.
    /// @param did the issuer's DID; it can never be changed
    /// @return issuer the number of the new issuer, from 1
    function registerIssuer(string calldata did) external returns (uint256 issuer);

    /// @notice Offers an issuer to a new owner, who has to accept it. Replaces an earlier offer.
    /// @dev The owner. Reverts: UnknownIssuer, NotOwner, NothingChanges (offered to that address already, or
    /// nothing to take back). Emits OwnershipTransferStarted.
    /// @param issuer the issuer to give away
    /// @param newOwner who may accept; zero takes an offer back
    function transferOwnership(uint256 issuer, address newOwner) external;

    /// @notice Takes an issuer that was offered to the caller.
    /// @dev The pending owner. Reverts: UnknownIssuer, NotPendingOwner. Emits OwnershipTransferred.
    /// @param issuer the issuer to take
    function acceptOwnership(uint256 issuer) external;

    // ---------------------------------------------------------------------------------------- operators

    /// @notice Gives a key exactly these roles for this issuer.
    /// @dev The owner. Reverts: UnknownIssuer, NotOwner, ZeroAddress, InvalidRoles, KeyCompromised,
    /// NothingChanges. Emits OperatorSet.
    /// @param issuer the issuer
    /// @param operator the key
    /// @param roles sum of ANCHOR = 1 and STATUS = 2; 0 ends them
    function setOperator(uint256 issuer, address operator, uint8 roles) external;

    /// @notice Says that a key was in other hands from `since` on. Ends its roles for ever; its anchors from
    /// `since` on are no longer trusted. A later report can only move the time earlier.
    /// @dev The owner; the key need never have been an operator. Reverts: UnknownIssuer, NotOwner,
    /// ZeroAddress, InvalidSince. Emits OperatorCompromised.
    /// @param issuer the issuer
    /// @param operator the key
    /// @param since Unix time, neither 0 nor in the future
    function reportCompromise(uint256 issuer, address operator, uint40 since) external;

    /// @notice Says for which issuer the bare roots of the calling key count.
    /// @dev An operator with ANCHOR, for itself. Reverts: UnknownIssuer, KeyCompromised, MissingRole,
    /// NothingChanges. Emits BareIssuerNamed.
    /// @param issuer the issuer
    function nameBareIssuer(uint256 issuer) external;

    // ---------------------------------------------------------------------------------------- anchors

    /// @notice Anchors the root of a batch. A root whose anchor lost its trust by a compromise can be anchored
    /// again at the same size: operator and time change, status stays.
    /// @dev An operator with ANCHOR. Reverts: ZeroSize, ZeroRoot, UnknownIssuer, KeyCompromised, MissingRole,
    /// AlreadyAnchored, SizeDiffers. Emits Anchored.
    /// @param issuer the issuer
    /// @param root RFC 9162 tree head over the leaves of the batch
    /// @param size number of leaves
    function anchor(uint256 issuer, bytes32 root, uint48 size) external;

    /// @notice Anchors as `anchor` does, in the name of the operator who signed `anchorDigest`.
    /// @dev Anyone may carry the signature; it works once, since a root is anchored once. Reverts:
    /// DeadlinePassed, ZeroSize, InvalidSignature, then as `anchor` for the signer. A signature over anything else
    /// recovers to a stranger and reverts with MissingRole. Emits Anchored.
    /// @param issuer the issuer
    /// @param root RFC 9162 tree head over the leaves of the batch
    /// @param size number of leaves
    /// @param deadline Unix time of the last moment at which the signature is good
    /// @param signature 65 bytes r, s, v
    function anchorBySig(
        uint256 issuer,
        bytes32 root,
        uint48 size,
        uint256 deadline,
        bytes calldata signature
    ) external;

    // The bare root: `fallback() external`, exactly 32 bytes of calldata, not payable. Anchors them as a root
    // of size 0, "a tree whose shape this registry does not know", for the issuer that the sender named.
    // An operator with ANCHOR, asked again at each call. Reverts: BadCalldata, NoBareIssuer, ZeroRoot,
    // KeyCompromised, MissingRole, AlreadyAnchored, SizeDiffers. Emits Anchored.
    // A root that begins with a selector of this contract cannot be anchored so: it calls that function, which
    // either reverts or is a view. No function that changes state may therefore be without arguments.

    // ---------------------------------------------------------------------------------------- status

    /// @notice Revokes credentials of one word, for ever. Index i is bit `i & 255` of word `i >> 8`.
    /// @dev An operator with STATUS. Reverts: UnknownIssuer, KeyCompromised, MissingRole, NotAnchored,
    /// BitsBeyondSize, NothingChanges. Emits Revoked.
    /// @param issuer the issuer
    /// @param root the batch
    /// @param word which 256 indexes
    /// @param mask which of them
    /// @param reason a code of the published table
    function revoke(uint256 issuer, bytes32 root, uint256 word, uint256 mask, uint8 reason) external;

    /// @notice Suspends credentials of one word until they are reinstated.
    /// @dev As `revoke`. Emits Suspended.
    /// @param issuer the issuer
    /// @param root the batch
    /// @param word which 256 indexes
    /// @param mask which of them
    /// @param reason a code of the published table
    function suspend(uint256 issuer, bytes32 root, uint256 word, uint256 mask, uint8 reason) external;

    /// @notice Ends the suspension of credentials of one word. Does not touch revocations.
    /// @dev As `revoke`. Emits Reinstated.
    /// @param issuer the issuer
    /// @param root the batch
    /// @param word which 256 indexes
    /// @param mask which of them
    /// @param reason a code of the published table
    function reinstate(uint256 issuer, bytes32 root, uint256 word, uint256 mask, uint8 reason) external;

    /// @notice `revoke` over many words. All or nothing: one word that changes nothing reverts the call.
    /// @dev As `revoke`, once a word; also LengthsDiffer, and NothingChanges for no words. Emits Revoked
    /// once a word.
    /// @param issuer the issuer
    /// @param root the batch
    /// @param words which words
    /// @param masks which bits of each
    /// @param reason a code of the published table
    function revokeMany(
        uint256 issuer,
        bytes32 root,
        uint256[] calldata words,
        uint256[] calldata masks,
        uint8 reason
    ) external;

    /// @notice `suspend` over many words. All or nothing.
    /// @dev As `revokeMany`. Emits Suspended once a word.
    /// @param issuer the issuer
    /// @param root the batch
    /// @param words which words
    /// @param masks which bits of each
    /// @param reason a code of the published table
    function suspendMany(
        uint256 issuer,
        bytes32 root,
        uint256[] calldata words,
        uint256[] calldata masks,
        uint8 reason
    ) external;

    /// @notice `reinstate` over many words. All or nothing.
    /// @dev As `revokeMany`. Emits Reinstated once a word.
    /// @param issuer the issuer
    /// @param root the batch
    /// @param words which words
    /// @param masks which bits of each
    /// @param reason a code of the published table
    function reinstateMany(
        uint256 issuer,
        bytes32 root,
        uint256[] calldata words,
        uint256[] calldata masks,
        uint8 reason
    ) external;

    /// @notice Revokes every credential of a batch, for ever. The only status of a bare root.
    /// @dev An operator with STATUS. Reverts: UnknownIssuer, KeyCompromised, MissingRole, NotAnchored,
    /// NothingChanges. Emits BatchRevoked.
    /// @param issuer the issuer
    /// @param root the batch
    /// @param reason a code of the published table
    function revokeBatch(uint256 issuer, bytes32 root, uint8 reason) external;

    // ----------------------------------------------------------------------------------- accreditation

    /// @notice Recognises an issuer from now on. Never touches anchors.
    /// @dev The accreditor's owner. Reverts: UnknownIssuer (of either), NotOwner, InvalidUntil,
    /// AlreadyAccredited. Emits Accredited.
    /// @param accreditor the issuer that recognises
    /// @param issuer the issuer that is recognised
    /// @param until Unix time from which it no longer holds; 0: open
    function accredit(uint256 accreditor, uint256 issuer, uint40 until) external;

    /// @notice Ends the running span of an accreditation now. What held before stays on record.
    /// @dev The accreditor's owner. Reverts: UnknownIssuer, NotOwner, NotAccredited. Emits
    /// AccreditationWithdrawn.
    /// @param accreditor the issuer that recognised
    /// @param issuer the issuer that was recognised
    function withdrawAccreditation(uint256 accreditor, uint256 issuer) external;

    // ---------------------------------------------------------------------------------------- views

    /// @notice How many issuers there are; they are numbered from 1 to this.
    /// @return count the number of issuers
    function issuerCount() external view returns (uint256 count);

    /// @notice The record of an issuer.
    /// @param issuer the issuer
    /// @return owner who may change its operators and accreditations
    /// @return pendingOwner whom it is offered to, or zero
    /// @return didHash keccak256 of the bytes of its DID
    /// @return head its hash chain over all its events
    function issuerOf(uint256 issuer)
        external
        view
        returns (address owner, address pendingOwner, bytes32 didHash, bytes32 head);

    /// @notice The hash chain over all events of an issuer.
    /// @param issuer the issuer
    /// @return head the head after its latest event
    function headOf(uint256 issuer) external view returns (bytes32 head);

    /// @notice What a key may do for an issuer.
    /// @param issuer the issuer
    /// @param operator the key
    /// @return roles sum of ANCHOR = 1 and STATUS = 2
    /// @return compromisedSince from when it was in other hands; 0: never reported
    function operatorOf(uint256 issuer, address operator)
        external
        view
        returns (uint8 roles, uint40 compromisedSince);

    /// @notice For which issuer the bare roots of a key count. The role is asked at each anchoring.
    /// @param operator the key
    /// @return issuer the issuer; 0: none named
    function bareIssuerOf(address operator) external view returns (uint256 issuer);

    /// @notice The anchor of a root.
    /// @param issuer the issuer
    /// @param root the root
    /// @return operator who anchored it
    /// @return time Unix time of the block; 0: not anchored
    /// @return size number of leaves; 0 for a bare root
    /// @return flags bit 0: the batch is revoked
    function anchorOf(uint256 issuer, bytes32 root)
        external
        view
        returns (address operator, uint40 time, uint48 size, uint8 flags);

    /// @notice The standing of one index of a batch, no proof asked.
    /// @param issuer the issuer
    /// @param root the batch
    /// @param index the index; any, if the root is bare
    /// @return standing NotAnchored, BadIndex, Compromised, Revoked, Suspended or Active
    function statusOf(uint256 issuer, bytes32 root, uint256 index) external view returns (Standing standing);

    /// @notice The span of an accreditation that holds at a time: from <= time < until, or until = 0.
    /// @dev Costs one storage slot for each span that began after `time`, and one more.
    /// @param accreditor the issuer that recognises
    /// @param issuer the issuer that is recognised
    /// @param time Unix time
    /// @return from when the span began; 0: none holds
    /// @return until when it ends; 0: open
    function accreditationOf(uint256 accreditor, uint256 issuer, uint40 time)
        external
        view
        returns (uint40 from, uint40 until);

    /// @notice How many spans an accreditation ever had.
    /// @param accreditor the issuer that recognises
    /// @param issuer the issuer that is recognised
    /// @return count the number of spans
    function accreditationCount(uint256 accreditor, uint256 issuer) external view returns (uint256 count);

    /// @notice One span of an accreditation, in the order in which they were given.
    /// @param accreditor the issuer that recognises
    /// @param issuer the issuer that is recognised
    /// @param n which span, from 0
    /// @return from when it began; 0: there is none
    /// @return until when it ends; 0: open
    function accreditationSpan(uint256 accreditor, uint256 issuer, uint256 n)
        external
        view
        returns (uint40 from, uint40 until);

    /// @notice Checks that a credential is in a batch of this issuer, and how it stands.
    /// @dev Reverts without data when it runs out of gas inside a hash.
    /// @param issuer the issuer
    /// @param root the batch
    /// @param digest SHA-256 of the credential; its leaf is SHA-256(0x00 || digest)
    /// @param index position of the leaf, from 0
    /// @param path siblings from the leaf to the root, RFC 9162 section 2.1.3
    /// @return standing the first that applies
    function verify(uint256 issuer, bytes32 root, bytes32 digest, uint256 index, bytes32[] calldata path)
        external
        view
        returns (Standing standing);

    /// @notice What an operator signs for `anchorBySig`: EIP-712, type
    /// `Anchor(uint256 issuer,bytes32 root,uint48 size,uint256 deadline)`.
    /// @param issuer the issuer
    /// @param root the root
    /// @param size number of leaves
    /// @param deadline Unix time of the last moment at which the signature is good
    /// @return digest the EIP-712 digest
    function anchorDigest(uint256 issuer, bytes32 root, uint48 size, uint256 deadline)
        external
        view
        returns (bytes32 digest);

    /// @notice The EIP-712 domain: name `CredentialRegistry`, version `1`, this chain, this contract. Computed
    /// at each call, so a chain that splits splits its signatures too.
    /// @return separator the domain separator
    function domainSeparator() external view returns (bytes32 separator);
}
