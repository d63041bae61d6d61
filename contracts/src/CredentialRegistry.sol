// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ICredentialRegistry} from "./ICredentialRegistry.sol";
import {MerklePath} from "./MerklePath.sol";

/// @title The registry of credential batches
/// @notice See `ICredentialRegistry` for what each function does, who may call it and when it reverts.
/// @dev No constructor, no immutables: the same bytes, and so the same CREATE2 address, on every chain.
/// State proofs read the storage below by slot, so its order and packing never change.
contract CredentialRegistry is ICredentialRegistry {
    struct Issuer {
        bytes32 head;
        bytes32 didHash;
        address owner;
        address pendingOwner;
    }

    struct Operator {
        uint8 roles;
        uint40 compromisedSince;
    }

    struct Anchor {
        address operator;
        uint40 time;
        uint48 size;
        uint8 flags;
    }

    struct Span {
        uint40 from;
        uint40 until;
    }

    /// @inheritdoc ICredentialRegistry
    uint256 public issuerCount;

    mapping(uint256 issuer => Issuer) private _issuers;

    mapping(uint256 issuer => mapping(address operator => Operator)) private _operators;

    mapping(bytes32 anchorId => Anchor) private _anchors;

    mapping(bytes32 anchorId => mapping(uint256 word => uint256)) private _revoked;

    mapping(bytes32 anchorId => mapping(uint256 word => uint256)) private _suspended;

    mapping(uint256 accreditor => mapping(uint256 issuer => uint256)) private _spanCounts;

    mapping(uint256 accreditor => mapping(uint256 issuer => mapping(uint256 n => Span))) private _spans;

    /// @inheritdoc ICredentialRegistry
    mapping(address operator => uint256 issuer) public bareIssuerOf;

    uint8 private constant ANCHOR = 1;
    uint8 private constant STATUS = 2;
    uint8 private constant ALL_ROLES = ANCHOR | STATUS;

    uint8 private constant BATCH_REVOKED = 1;

    /// @dev Longer than any DID in use; keeps one event from filling a block.
    uint256 private constant MAX_DID_BYTES = 2048;

    bytes32 private constant DOMAIN_TYPE =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant DOMAIN_NAME = keccak256("CredentialRegistry");
    bytes32 private constant DOMAIN_VERSION = keccak256("1");
    bytes32 private constant ANCHOR_TYPE =
        keccak256("Anchor(uint256 issuer,bytes32 root,uint48 size,uint256 deadline)");

    /// @dev Half the order of secp256k1. An s above it is the second spelling of the same signature.
    uint256 private constant MAX_S = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;

    modifier onlyOwner(uint256 issuer) {
        _checkOwner(issuer);
        _;
    }

    // ------------------------------------------------------------------------------ issuers and owners

    /// @inheritdoc ICredentialRegistry
    function registerIssuer(string calldata did) external returns (uint256 issuer) {
        uint256 length = bytes(did).length;
        if (length == 0 || length > MAX_DID_BYTES) revert InvalidDid(length);
        issuer = ++issuerCount;
        uint40 time = _now();
        bytes32 didHash = keccak256(bytes(did));
        bytes32 head = keccak256(abi.encode(block.chainid, this, issuer, msg.sender, didHash, time));
        _issuers[issuer] = Issuer(head, didHash, msg.sender, address(0));
        emit IssuerRegistered(issuer, msg.sender, didHash, time, head);
        emit IssuerDid(issuer, did);
    }

    /// @inheritdoc ICredentialRegistry
    function transferOwnership(uint256 issuer, address newOwner) external onlyOwner(issuer) {
        if (_issuers[issuer].pendingOwner == newOwner) revert NothingChanges();
        _issuers[issuer].pendingOwner = newOwner;
        _log3(issuer, OwnershipTransferStarted.selector, _word(newOwner), "");
    }

    /// @inheritdoc ICredentialRegistry
    function acceptOwnership(uint256 issuer) external {
        _checkIssuer(issuer);
        if (_issuers[issuer].pendingOwner != msg.sender) revert NotPendingOwner(issuer, msg.sender);
        _issuers[issuer].owner = msg.sender;
        _issuers[issuer].pendingOwner = address(0);
        _log3(issuer, OwnershipTransferred.selector, _word(msg.sender), "");
    }

    // ---------------------------------------------------------------------------------------- operators

    /// @inheritdoc ICredentialRegistry
    function setOperator(uint256 issuer, address operator, uint8 roles) external onlyOwner(issuer) {
        if (operator == address(0)) revert ZeroAddress();
        if (roles > ALL_ROLES) revert InvalidRoles(roles);
        Operator memory known = _operators[issuer][operator];
        if (known.compromisedSince != 0) revert KeyCompromised(issuer, operator, known.compromisedSince);
        if (known.roles == roles) revert NothingChanges();
        _operators[issuer][operator].roles = roles;
        _log3(issuer, OperatorSet.selector, _word(operator), abi.encode(roles));
    }

    /// @inheritdoc ICredentialRegistry
    function reportCompromise(uint256 issuer, address operator, uint40 since) external onlyOwner(issuer) {
        if (operator == address(0)) revert ZeroAddress();
        uint40 reported = _operators[issuer][operator].compromisedSince;
        uint40 latest = reported == 0 ? _now() : reported - 1;
        if (since == 0 || since > latest) revert InvalidSince(since, latest);
        _operators[issuer][operator] = Operator(0, since);
        _log3(issuer, OperatorCompromised.selector, _word(operator), abi.encode(since));
    }

    /// @inheritdoc ICredentialRegistry
    function nameBareIssuer(uint256 issuer) external {
        _checkRole(issuer, msg.sender, ANCHOR);
        if (bareIssuerOf[msg.sender] == issuer) revert NothingChanges();
        bareIssuerOf[msg.sender] = issuer;
        _log3(issuer, BareIssuerNamed.selector, _word(msg.sender), "");
    }

    // ---------------------------------------------------------------------------------------- anchors

    /// @inheritdoc ICredentialRegistry
    function anchor(uint256 issuer, bytes32 root, uint48 size) external {
        if (size == 0) revert ZeroSize();
        _anchor(issuer, root, size, msg.sender);
    }

    /// @inheritdoc ICredentialRegistry
    function anchorBySig(
        uint256 issuer,
        bytes32 root,
        uint48 size,
        uint256 deadline,
        bytes calldata signature
    ) external {
        if (_now() > deadline) revert DeadlinePassed(deadline);
        if (size == 0) revert ZeroSize();
        _anchor(issuer, root, size, _signer(_anchorDigest(issuer, root, size, deadline), signature));
    }

    /// @notice Anchors a bare root; see the interface.
    fallback() external {
        if (msg.data.length != 32) revert BadCalldata(msg.data.length);
        uint256 issuer = bareIssuerOf[msg.sender];
        if (issuer == 0) revert NoBareIssuer(msg.sender);
        _anchor(issuer, bytes32(msg.data), 0, msg.sender);
    }

    // ---------------------------------------------------------------------------------------- status

    /// @inheritdoc ICredentialRegistry
    function revoke(uint256 issuer, bytes32 root, uint256 word, uint256 mask, uint8 reason) external {
        (bytes32 id, uint48 size) = _openStatus(issuer, root);
        _revoke(issuer, root, id, size, word, mask, reason);
    }

    /// @inheritdoc ICredentialRegistry
    function suspend(uint256 issuer, bytes32 root, uint256 word, uint256 mask, uint8 reason) external {
        (bytes32 id, uint48 size) = _openStatus(issuer, root);
        _suspend(issuer, root, id, size, word, mask, reason);
    }

    /// @inheritdoc ICredentialRegistry
    function reinstate(uint256 issuer, bytes32 root, uint256 word, uint256 mask, uint8 reason) external {
        (bytes32 id, uint48 size) = _openStatus(issuer, root);
        _reinstate(issuer, root, id, size, word, mask, reason);
    }

    /// @inheritdoc ICredentialRegistry
    function revokeMany(
        uint256 issuer,
        bytes32 root,
        uint256[] calldata words,
        uint256[] calldata masks,
        uint8 reason
    ) external {
        _checkWords(words, masks);
        (bytes32 id, uint48 size) = _openStatus(issuer, root);
        for (uint256 i = 0; i < words.length; ++i) {
            _revoke(issuer, root, id, size, words[i], masks[i], reason);
        }
    }

    /// @inheritdoc ICredentialRegistry
    function suspendMany(
        uint256 issuer,
        bytes32 root,
        uint256[] calldata words,
        uint256[] calldata masks,
        uint8 reason
    ) external {
        _checkWords(words, masks);
        (bytes32 id, uint48 size) = _openStatus(issuer, root);
        for (uint256 i = 0; i < words.length; ++i) {
            _suspend(issuer, root, id, size, words[i], masks[i], reason);
        }
    }

    /// @inheritdoc ICredentialRegistry
    function reinstateMany(
        uint256 issuer,
        bytes32 root,
        uint256[] calldata words,
        uint256[] calldata masks,
        uint8 reason
    ) external {
        _checkWords(words, masks);
        (bytes32 id, uint48 size) = _openStatus(issuer, root);
        for (uint256 i = 0; i < words.length; ++i) {
            _reinstate(issuer, root, id, size, words[i], masks[i], reason);
        }
    }

    /// @inheritdoc ICredentialRegistry
    function revokeBatch(uint256 issuer, bytes32 root, uint8 reason) external {
        (bytes32 id,) = _openStatus(issuer, root);
        if (_isBatchRevoked(_anchors[id])) revert NothingChanges();
        _anchors[id].flags |= BATCH_REVOKED;
        _log3(issuer, BatchRevoked.selector, root, abi.encode(msg.sender, reason));
    }

    // ----------------------------------------------------------------------------------- accreditation

    /// @inheritdoc ICredentialRegistry
    function accredit(uint256 accreditor, uint256 issuer, uint40 until) external onlyOwner(accreditor) {
        _checkIssuer(issuer);
        uint40 time = _now();
        if (until != 0 && until <= time) revert InvalidUntil(until);
        uint256 n = _spanCounts[accreditor][issuer];
        if (n != 0 && _holds(_spans[accreditor][issuer][n - 1], time)) {
            revert AlreadyAccredited(accreditor, issuer);
        }
        _spanCounts[accreditor][issuer] = n + 1;
        _spans[accreditor][issuer][n] = Span(time, until);
        _log3(accreditor, Accredited.selector, bytes32(issuer), abi.encode(n, until));
    }

    /// @inheritdoc ICredentialRegistry
    function withdrawAccreditation(uint256 accreditor, uint256 issuer) external onlyOwner(accreditor) {
        uint40 time = _now();
        uint256 count = _spanCounts[accreditor][issuer];
        if (count == 0 || !_holds(_spans[accreditor][issuer][count - 1], time)) {
            revert NotAccredited(accreditor, issuer);
        }
        _spans[accreditor][issuer][count - 1].until = time;
        _log3(accreditor, AccreditationWithdrawn.selector, bytes32(issuer), abi.encode(count - 1));
    }

    // ---------------------------------------------------------------------------------------- views

    /// @inheritdoc ICredentialRegistry
    function issuerOf(uint256 issuer)
        external
        view
        returns (address owner, address pendingOwner, bytes32 didHash, bytes32 head)
    {
        Issuer storage record = _issuers[issuer];
        return (record.owner, record.pendingOwner, record.didHash, record.head);
    }

    /// @inheritdoc ICredentialRegistry
    function headOf(uint256 issuer) external view returns (bytes32 head) {
        return _issuers[issuer].head;
    }

    /// @inheritdoc ICredentialRegistry
    function operatorOf(uint256 issuer, address operator)
        external
        view
        returns (uint8 roles, uint40 compromisedSince)
    {
        Operator memory known = _operators[issuer][operator];
        return (known.roles, known.compromisedSince);
    }

    /// @inheritdoc ICredentialRegistry
    function anchorOf(uint256 issuer, bytes32 root)
        external
        view
        returns (address operator, uint40 time, uint48 size, uint8 flags)
    {
        Anchor memory known = _anchors[_anchorId(issuer, root)];
        return (known.operator, known.time, known.size, known.flags);
    }

    /// @inheritdoc ICredentialRegistry
    function statusOf(uint256 issuer, bytes32 root, uint256 index) external view returns (Standing standing) {
        bytes32 id = _anchorId(issuer, root);
        Anchor memory known = _anchors[id];
        if (known.time == 0) return Standing.NotAnchored;
        if (known.size != 0 && index >= known.size) return Standing.BadIndex;
        return _standing(issuer, id, known, index);
    }

    /// @inheritdoc ICredentialRegistry
    function accreditationOf(uint256 accreditor, uint256 issuer, uint40 time)
        external
        view
        returns (uint40 from, uint40 until)
    {
        // Spans do not overlap and are in order of time: the last that began by `time` decides.
        for (uint256 n = _spanCounts[accreditor][issuer]; n != 0; --n) {
            Span memory span = _spans[accreditor][issuer][n - 1];
            if (span.from <= time) return _holds(span, time) ? (span.from, span.until) : (0, 0);
        }
    }

    /// @inheritdoc ICredentialRegistry
    function accreditationCount(uint256 accreditor, uint256 issuer) external view returns (uint256 count) {
        return _spanCounts[accreditor][issuer];
    }

    /// @inheritdoc ICredentialRegistry
    function accreditationSpan(uint256 accreditor, uint256 issuer, uint256 n)
        external
        view
        returns (uint40 from, uint40 until)
    {
        Span memory span = _spans[accreditor][issuer][n];
        return (span.from, span.until);
    }

    /// @inheritdoc ICredentialRegistry
    function verify(uint256 issuer, bytes32 root, bytes32 digest, uint256 index, bytes32[] calldata path)
        external
        view
        returns (Standing standing)
    {
        bytes32 id = _anchorId(issuer, root);
        Anchor memory known = _anchors[id];
        if (known.time == 0) return Standing.NotAnchored;
        if (known.size == 0) return Standing.UnknownSize;
        MerklePath.Result result = MerklePath.check(root, known.size, digest, index, path);
        if (result == MerklePath.Result.BadIndex) return Standing.BadIndex;
        if (result == MerklePath.Result.BadLength) return Standing.BadPathLength;
        if (result == MerklePath.Result.BadRoot) return Standing.BadProof;
        return _standing(issuer, id, known, index);
    }

    /// @inheritdoc ICredentialRegistry
    function anchorDigest(uint256 issuer, bytes32 root, uint48 size, uint256 deadline)
        external
        view
        returns (bytes32 digest)
    {
        return _anchorDigest(issuer, root, size, deadline);
    }

    /// @inheritdoc ICredentialRegistry
    function domainSeparator() external view returns (bytes32 separator) {
        return _domainSeparator();
    }

    // ---------------------------------------------------------------------------------------- the head

    /// @dev Folds and logs an event with two indexed arguments. `words` is its data before time and head.
    function _log3(uint256 issuer, bytes32 topic0, bytes32 topic2, bytes memory words) private {
        _log(issuer, topic0, topic2, 0, false, words);
    }

    /// @dev Folds and logs an event with three indexed arguments.
    function _log4(uint256 issuer, bytes32 topic0, bytes32 topic2, bytes32 topic3, bytes memory words)
        private
    {
        _log(issuer, topic0, topic2, topic3, true, words);
    }

    /// @dev The only place where a head moves on and a folded event is logged. The bytes that are hashed and
    /// the bytes that are logged are the same bytes of memory, so no event can be folded as another:
    ///
    ///     head | topic0 | topic2 | topic3 | words ... | time | head'
    ///     '------------------ hashed ----------------------'
    ///                                       '------ logged -------'
    ///
    /// `words` holds whole words, at most three. Its twin in plain Solidity is `Replay.next` in the tests.
    function _log(
        uint256 issuer,
        bytes32 topic0,
        bytes32 topic2,
        bytes32 topic3,
        bool fourTopics,
        bytes memory words
    ) private {
        bytes32 head = _issuers[issuer].head;
        uint256 time = _now();
        bytes32 newHead;
        assembly ("memory-safe") {
            // Built above the free memory pointer and not kept.
            let at := mload(0x40)
            // First the four words that are hashed and not logged as data: the head before,
            mstore(at, head)
            // the event,
            mstore(add(at, 0x20), topic0)
            // the second indexed argument (the first is the issuer, whose head this is),
            mstore(add(at, 0x40), topic2)
            // and the third, or zero.
            mstore(add(at, 0x60), topic3)
            // Here begins the log's data.
            let data := add(at, 0x80)
            // In bytes: 0, 32, 64 or 96.
            let length := mload(words)
            // Copy the words that the event has; the first lies behind the length.
            for { let i := 0 } lt(i, length) { i := add(i, 0x20) } {
                mstore(add(data, i), mload(add(add(words, 0x20), i)))
            }
            // The last words are the time, which is hashed, and the new head, which cannot be.
            let end := add(data, length)
            mstore(end, time)
            // From the head before up to and with the time.
            newHead := keccak256(at, sub(add(end, 0x20), at))
            // The new head closes the log's data.
            mstore(add(end, 0x20), newHead)
            // Two indexed arguments or three; a third that is zero is still a topic.
            switch fourTopics
            // The data is the words, the time and the new head.
            case 0 { log3(data, add(length, 0x40), topic0, issuer, topic2) }
            // The same, with a topic more.
            default { log4(data, add(length, 0x40), topic0, issuer, topic2, topic3) }
        }
        _issuers[issuer].head = newHead;
    }

    // ---------------------------------------------------------------------------------------- changes

    /// @dev Anchors a root in the name of an operator; size 0 is a bare root.
    function _anchor(uint256 issuer, bytes32 root, uint48 size, address operator) private {
        if (root == 0) revert ZeroRoot();
        _checkRole(issuer, operator, ANCHOR);
        bytes32 id = _anchorId(issuer, root);
        Anchor memory known = _anchors[id];
        if (known.time != 0) _checkAgain(issuer, root, known, size);
        _anchors[id] = Anchor(operator, _now(), size, known.flags);
        _log4(issuer, Anchored.selector, root, _word(operator), abi.encode(size));
    }

    /// @dev Sets bits of the revocations. There is no way to clear one.
    function _revoke(
        uint256 issuer,
        bytes32 root,
        bytes32 id,
        uint48 size,
        uint256 word,
        uint256 mask,
        uint8 reason
    ) private {
        uint256 bits = _revoked[id][word];
        uint256 changed = mask & ~bits;
        _checkBits(word, mask, size, changed);
        _revoked[id][word] = bits | changed;
        _log4(issuer, Revoked.selector, root, bytes32(word), abi.encode(msg.sender, changed, reason));
    }

    /// @dev Sets bits of the suspensions.
    function _suspend(
        uint256 issuer,
        bytes32 root,
        bytes32 id,
        uint48 size,
        uint256 word,
        uint256 mask,
        uint8 reason
    ) private {
        uint256 bits = _suspended[id][word];
        uint256 changed = mask & ~bits;
        _checkBits(word, mask, size, changed);
        _suspended[id][word] = bits | changed;
        _log4(issuer, Suspended.selector, root, bytes32(word), abi.encode(msg.sender, changed, reason));
    }

    /// @dev Clears bits of the suspensions.
    function _reinstate(
        uint256 issuer,
        bytes32 root,
        bytes32 id,
        uint48 size,
        uint256 word,
        uint256 mask,
        uint8 reason
    ) private {
        uint256 bits = _suspended[id][word];
        uint256 changed = mask & bits;
        _checkBits(word, mask, size, changed);
        _suspended[id][word] = bits & ~changed;
        _log4(issuer, Reinstated.selector, root, bytes32(word), abi.encode(msg.sender, changed, reason));
    }

    // ---------------------------------------------------------------------------------------- checks

    function _checkIssuer(uint256 issuer) private view {
        if (_issuers[issuer].owner == address(0)) revert UnknownIssuer(issuer);
    }

    function _checkOwner(uint256 issuer) private view {
        _checkIssuer(issuer);
        if (_issuers[issuer].owner != msg.sender) revert NotOwner(issuer, msg.sender);
    }

    /// @dev A compromised key has no roles, so one storage slot answers.
    function _checkRole(uint256 issuer, address operator, uint8 role) private view {
        Operator memory known = _operators[issuer][operator];
        if (known.roles & role != 0) return;
        _checkIssuer(issuer);
        if (known.compromisedSince != 0) revert KeyCompromised(issuer, operator, known.compromisedSince);
        revert MissingRole(issuer, operator, role);
    }

    /// @dev A root may be anchored again only when its anchor lost its trust, and at the same size.
    function _checkAgain(uint256 issuer, bytes32 root, Anchor memory known, uint48 size) private view {
        if (!_isCompromised(issuer, known)) {
            revert AlreadyAnchored(issuer, root, known.operator, known.time, known.size);
        }
        if (known.size != size) revert SizeDiffers(issuer, root, known.size, size);
    }

    function _checkWords(uint256[] calldata words, uint256[] calldata masks) private pure {
        if (words.length != masks.length) revert LengthsDiffer(words.length, masks.length);
        if (words.length == 0) revert NothingChanges();
    }

    function _checkBits(uint256 word, uint256 mask, uint48 size, uint256 changed) private pure {
        // The word in which the size falls holds `size & 255` indexes, the words before it 256, later ones none.
        uint256 border = size >> 8;
        uint256 beyond = word < border ? 0 : word == border ? mask >> (size & 255) : mask;
        if (beyond != 0) revert BitsBeyondSize(word, mask, size);
        if (changed == 0) revert NothingChanges();
    }

    /// @dev What every change of status asks first.
    function _openStatus(uint256 issuer, bytes32 root) private view returns (bytes32 id, uint48 size) {
        _checkRole(issuer, msg.sender, STATUS);
        id = _anchorId(issuer, root);
        Anchor memory known = _anchors[id];
        if (known.time == 0) revert NotAnchored(issuer, root);
        size = known.size;
    }

    // ---------------------------------------------------------------------------------------- readings

    function _isCompromised(uint256 issuer, Anchor memory known) private view returns (bool) {
        uint40 since = _operators[issuer][known.operator].compromisedSince;
        return since != 0 && known.time >= since;
    }

    function _isBatchRevoked(Anchor memory known) private pure returns (bool) {
        return known.flags & BATCH_REVOKED != 0;
    }

    /// @dev Compromised, Revoked, Suspended or Active. A bare root has no bits: they are all beyond its size.
    function _standing(uint256 issuer, bytes32 id, Anchor memory known, uint256 index)
        private
        view
        returns (Standing)
    {
        if (_isCompromised(issuer, known)) return Standing.Compromised;
        uint256 word = index >> 8;
        uint256 bit = index & 255;
        if (_isBatchRevoked(known) || (_revoked[id][word] >> bit) & 1 != 0) return Standing.Revoked;
        if ((_suspended[id][word] >> bit) & 1 != 0) return Standing.Suspended;
        return Standing.Active;
    }

    function _holds(Span memory span, uint40 time) private pure returns (bool) {
        return span.from <= time && (span.until == 0 || time < span.until);
    }

    function _anchorId(uint256 issuer, bytes32 root) private pure returns (bytes32) {
        return keccak256(abi.encode(issuer, root));
    }

    function _word(address account) private pure returns (bytes32) {
        return bytes32(uint256(uint160(account)));
    }

    /// @dev Forty bits of seconds last until the year 36812.
    function _now() private view returns (uint40) {
        return uint40(block.timestamp);
    }

    // ---------------------------------------------------------------------------------------- signatures

    function _domainSeparator() private view returns (bytes32) {
        return keccak256(abi.encode(DOMAIN_TYPE, DOMAIN_NAME, DOMAIN_VERSION, block.chainid, address(this)));
    }

    function _anchorDigest(uint256 issuer, bytes32 root, uint48 size, uint256 deadline)
        private
        view
        returns (bytes32)
    {
        bytes32 message = keccak256(abi.encode(ANCHOR_TYPE, issuer, root, size, deadline));
        return keccak256(abi.encodePacked(hex"1901", _domainSeparator(), message));
    }

    /// @dev The one spelling of a signature that is accepted: 65 bytes, v 27 or 28, low s.
    function _signer(bytes32 digest, bytes calldata signature) private pure returns (address signer) {
        if (signature.length != 65) revert InvalidSignature();
        uint8 v = uint8(signature[64]);
        bytes32 r = bytes32(signature[0:32]);
        bytes32 s = bytes32(signature[32:64]);
        if ((v != 27 && v != 28) || uint256(s) > MAX_S) revert InvalidSignature();
        signer = ecrecover(digest, v, r, s);
        if (signer == address(0)) revert InvalidSignature();
    }
}
